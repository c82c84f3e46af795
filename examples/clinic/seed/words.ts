// prettier-ignore
export const FIRST_NAMES = [
  'Ada', 'Agnieszka', 'Aiko', 'Amara', 'Anders', 'Anouk', 'Aylin', 'Beatriz', 'Björn', 'Caoimhe',
  'Carlos', 'Chiara', 'Daan', 'Delphine', 'Dmitri', 'Eilidh', 'Élodie', 'Emeka', 'Emil', 'Farid',
  'Fatoumata', 'Femke', 'Freya', 'Giulia', 'Grace', 'Hana', 'Harun', 'Henrik', 'Ines', 'Ingrid',
  'Isaac', 'Jakub', 'Jana', 'Jürgen', 'Kaito', 'Katarína', 'Kwame', 'Lars', 'Leila', 'Lotte',
  'Magnus', 'Maja', 'Malik', 'Marta', 'Mateo', 'Mehmet', 'Mireille', 'Naomi', 'Nikos', 'Nora',
  'Olena', 'Oskar', 'Paula', 'Pedro', 'Priya', 'Rasmus', 'Rosa', 'Samuel', 'Søren', 'Svetlana',
  'Tamar', 'Thảo', 'Tomás', 'Ulla', 'Viktor', 'Wanjiru', 'Xavier', 'Yara', 'Zoltán', 'Zuzana',
]
// prettier-ignore
export const LAST_NAMES = [
  'Abebe', 'Almeida', 'Andersson', 'Bakker', 'Bauer', 'Bianchi', 'Çelik', 'Chen', 'Costa', 'Dąbrowski',
  'Diallo', 'Dubois', 'Eriksen', 'Fernández', 'Fischer', 'Garcia', 'Georgiou', 'Haddad', 'Hansen', 'Hoffmann',
  'Horvat', 'Ivanova', 'Jensen', 'Kaplan', 'Kim', 'Kovács', 'Kowalska', 'Larsen', 'Laurent', 'Lindqvist',
  'MacLeod', 'Marino', 'Mbeki', 'Meier', 'Moreau', 'Müller', 'Nakamura', 'Nguyen', 'Novák', 'O’Brien',
  'Okafor', 'Olsen', 'Papadopoulos', 'Petrov', 'Popescu', 'Rahman', 'Ricci', 'Rossi', 'Sánchez', 'Schmidt',
  'Schneider', 'Shevchenko', 'Silva', 'Singh', 'Sørensen', 'Tanaka', 'Van den Berg', 'Virtanen', 'Weber', 'Yılmaz',
]
// prettier-ignore
export const STREETS = [
  'Ahornweg', 'Bahnhofstrasse', 'Birkenallee', 'Brunngasse', 'Dorfplatz', 'Eichenweg', 'Feldstrasse', 'Gartenweg',
  'Hafenstrasse', 'Kirchgasse', 'Lindenhof', 'Marktgasse', 'Mühlebachstrasse', 'Oberdorf', 'Quellenweg', 'Rebhalde',
  'Schulhausstrasse', 'Seestrasse', 'Sonnenrain', 'Weinbergstrasse',
]
// prettier-ignore
export const CITIES = [
  ['8001', 'Zürich'], ['3011', 'Bern'], ['4051', 'Basel'], ['6003', 'Luzern'], ['9000', 'St. Gallen'],
  ['8400', 'Winterthur'], ['1003', 'Lausanne'], ['1204', 'Genève'], ['6900', 'Lugano'], ['7000', 'Chur'],
] as const

export const RELATIONS = ['spouse', 'mother', 'father', 'daughter', 'son', 'sister', 'friend']

/** ICD-10 codes with their titles. */
// prettier-ignore
export const DIAGNOSES = [
  'E11.9 Type 2 diabetes mellitus without complications', 'I10 Essential (primary) hypertension',
  'J45.9 Asthma, unspecified', 'M54.5 Low back pain', 'F32.1 Moderate depressive episode',
  'F41.1 Generalized anxiety disorder', 'G43.9 Migraine, unspecified', 'K21.9 Gastro-oesophageal reflux disease',
  'N39.0 Urinary tract infection, site not specified', 'J06.9 Acute upper respiratory infection, unspecified',
  'H66.9 Otitis media, unspecified', 'L20.9 Atopic dermatitis, unspecified', 'E78.5 Hyperlipidaemia, unspecified',
  'M17.9 Gonarthrosis, unspecified', 'I48.9 Atrial fibrillation and atrial flutter, unspecified',
  'D50.9 Iron deficiency anaemia, unspecified', 'S93.4 Sprain and strain of ankle', 'E03.9 Hypothyroidism, unspecified',
  'J44.9 Chronic obstructive pulmonary disease, unspecified', 'Z34.9 Supervision of normal pregnancy, unspecified',
]
// prettier-ignore
export const DRUGS = [
  'metformin', 'amlodipine', 'salbutamol', 'ibuprofen', 'sertraline', 'sumatriptan', 'pantoprazole', 'nitrofurantoin',
  'paracetamol', 'amoxicillin', 'atorvastatin', 'apixaban', 'levothyroxine', 'tiotropium', 'ferrous sulfate',
]
// prettier-ignore
export const ALLERGIES = [
  'penicillin', 'birch pollen', 'peanuts', 'latex', 'house dust mites', 'contrast agents', 'nickel', 'wasp venom',
]
export const COMPLAINTS = [
  'Reports poor sleep for three weeks.',
  'Pain worse in the morning, eases with movement.',
  'Dizzy on standing up, no syncope.',
  'Cough without fever, worse at night.',
  'Says the tablets upset the stomach.',
  'Feels well, no new complaints.',
  'Short of breath after two flights of stairs.',
  'Rash on both forearms, itching.',
]
export const FINDINGS = [
  'Lungs clear, heart sounds regular.',
  'Abdomen soft, no tenderness.',
  'BP 148/92, pulse 76 regular.',
  'BP 124/78, pulse 64 regular.',
  'Range of motion limited by pain.',
  'Throat red, no exudate.',
  'HbA1c 7.4 %, down from 8.1 %.',
  'Weight stable since the last visit.',
]
export const NEXT_STEPS = [
  'Continue as before, review in three months.',
  'Dose halved; call if symptoms return.',
  'Referred to physiotherapy.',
  'Blood count and ferritin ordered.',
  'Follow-up by phone next week.',
  'Sick note for five days.',
]
