import type { Provider, World } from './world.ts'

/** Rows of which a trigger, and what it writes to, refuse some. */
export const guarded = (provider: Provider, option = ''): string => `
model Note {
  tenant Int
  name   String${provider === 'mysql' ? ' @db.VarChar(40)' : ''}
  /// why it is refused
  guard  String?
  /// @encrypted${option}
  title  String
  /// @encrypted${option}
  text   String?
  @@id([tenant, name])
}
`

/** What refuses a row, by its `guard`, and what stands in the quarantine of it. */
export const GUARDS: Readonly<Record<string, string>> = {
  raise: 'ERR_TRIGGER_REFUSED',
  text: 'ERR_TRIGGER_REFUSED', // of one field only
  child: 'ERR_FOREIGN_KEY_VIOLATION',
  null: 'ERR_NOT_NULL_VIOLATION',
  check: 'ERR_CHECK_VIOLATION',
  twice: 'ERR_UNIQUE_VIOLATION',
  long: 'ERR_VALUE_TOO_LONG',
  invalid: 'ERR_VALUE_INVALID',
}

/** Of SQLite a column takes anything of any length, unless a CHECK says otherwise. */
export function guardsOf(provider: Provider): string[] {
  const all = Object.keys(GUARDS)
  return provider === 'sqlite' ? all.filter((guard) => guard !== 'long') : all
}

/** What the trigger puts into the other table. */
const ENTRIES: Readonly<Record<string, string>> = {
  child: `(parent, one, note) VALUES (99, NULL, 'x')`,
  null: `(parent, one, note) VALUES (NULL, NULL, NULL)`,
  check: `(parent, one, note) VALUES (NULL, NULL, '-')`,
  twice: `(parent, one, note) VALUES (NULL, 1, 'x')`,
  long: `(parent, one, note) VALUES (NULL, NULL, 'xxxx')`,
}

const TABLES = `CREATE TABLE "Parent" (id INT PRIMARY KEY);
CREATE TABLE "Entry" (parent INT REFERENCES "Parent" (id), one INT UNIQUE, note VARCHAR(3) NOT NULL CHECK (note <> '-')KIND);
INSERT INTO "Entry" (one, note) VALUES (1, 'x');
`

const POSTGRESQL = `CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.guard = 'raise' THEN RAISE EXCEPTION 'SECRET %', NEW.title; END IF;
  IF NEW.guard = 'text' AND NEW.text <> OLD.text THEN RAISE EXCEPTION 'SECRET' USING ERRCODE = 'UE001'; END IF;
  IF NEW.guard = 'invalid' THEN PERFORM 'SECRET'::int; END IF;
${inserts(([guard, values]) => `  IF NEW.guard = '${guard}' THEN INSERT INTO "Entry" ${values}; END IF;`)}
  RETURN NEW;
END $$`

const MYSQL = `CREATE TRIGGER guard BEFORE UPDATE ON \`Note\` FOR EACH ROW BEGIN
  IF NEW.guard = 'raise' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'SECRET'; END IF; --
  IF NEW.guard = 'text' AND NEW.text <> OLD.text THEN SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30001, MESSAGE_TEXT = 'SECRET'; END IF; --
  IF NEW.guard = 'invalid' THEN INSERT INTO \`Entry\` (one, note) VALUES ('SECRET', 'x'); END IF; --
${inserts(([guard, values]) => `  IF NEW.guard = '${guard}' THEN INSERT INTO \`Entry\` ${values}; END IF; --`)}
END;
`

const SQLITE = `CREATE TRIGGER raised BEFORE UPDATE ON "Note" WHEN NEW.guard = 'raise' BEGIN SELECT RAISE(ABORT, 'SECRET'); END;
CREATE TRIGGER texts BEFORE UPDATE ON "Note" WHEN NEW.guard = 'text' AND NEW.text <> OLD.text BEGIN SELECT RAISE(FAIL, 'SECRET'); END;
CREATE TRIGGER invalid BEFORE UPDATE ON "Note" WHEN NEW.guard = 'invalid' BEGIN INSERT INTO "Entry" (one, note) VALUES ('SECRET', 'x'); END;
${inserts(([guard, values]) => `CREATE TRIGGER "on_${guard}" BEFORE UPDATE ON "Note" WHEN NEW.guard = '${guard}' BEGIN INSERT INTO "Entry" ${values}; END;`)}
`

function inserts(line: (entry: [string, string]) => string): string {
  return Object.entries(ENTRIES).map(line).join('\n')
}

/** Put up what refuses rows. */
export async function guard({ db, provider, run }: World): Promise<void> {
  const mysql = TABLES.replace('KIND', ', FOREIGN KEY (parent) REFERENCES "Parent" (id)')
  if (provider === 'mysql') await db.exec(mysql.replaceAll('"', '`'))
  else if (provider === 'postgresql') await db.exec(TABLES.replace('KIND', ''))
  // A column that keeps to its type.
  else await db.exec(TABLES.replace('KIND', `) STRICT; --`).replaceAll('VARCHAR(3)', 'TEXT'))
  if (provider === 'postgresql')
    await run(
      POSTGRESQL,
      'CREATE TRIGGER guard BEFORE UPDATE ON "Note" FOR EACH ROW EXECUTE FUNCTION guard()',
    )
  else await db.exec(provider === 'mysql' ? MYSQL : SQLITE)
}

/** Take it down again. */
export async function unguard({ db, provider }: World): Promise<void> {
  const names = ['raised', 'texts', 'invalid', ...Object.keys(ENTRIES).map((name) => `on_${name}`)]
  if (provider !== 'sqlite')
    await db.exec(`DROP TRIGGER guard${provider === 'mysql' ? '' : ' ON "Note"'};\n`)
  else await db.exec(names.map((name) => `DROP TRIGGER "${name}";`).join('\n'))
}

export interface Note {
  readonly tenant: number
  readonly name: string
  readonly guard: string | null
  readonly title: string
  readonly text: string | null
}

/** Notes of which every so many-th is guarded in another way, each once. */
export function notes(provider: Provider, count: number): Note[] {
  const guards = guardsOf(provider)
  const every = Math.floor(count / guards.length)
  return Array.from({ length: count }, (_, i) => ({
    tenant: i % 3,
    name: `n,"${String(i).padStart(3, '0')}`,
    guard: i % every === every - 1 ? (guards[Math.floor(i / every)] ?? null) : null,
    title: `Title ${i}`,
    text: i % 10 === 0 ? null : `Text ${i}`,
  }))
}
