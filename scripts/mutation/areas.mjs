const extension = 'packages/prisma-extension'
const migrator = 'packages/migrator'

const keys = [
  'authentic',
  'dek-cache',
  'dek-wrap',
  'destruction',
  'every-tenant',
  'guarded-root',
  'high-water',
  'index-keys',
  'index-lifecycle',
  'index-phases',
  'index-records',
  'index-register',
  'kek',
  'kek-cache',
  'keyring',
  'keyring-end',
  'keyrings',
  'kms-deks',
  'kms-wrapping',
  'lifecycle',
  'moved',
  'options',
  'outages',
  'provision',
  'reencrypt-keys',
  'regions',
  'rewrap',
  'rewrap-deks',
  'snapshot',
  'states',
  'store-vectors',
  'suspension',
  'uses',
  'uses-blocks',
  'versions',
]

/** What is changed, and the tests that must notice: none of them needs a database. */
export const AREAS = {
  envelope: {
    mutate: [`${extension}/src/envelope/*.ts`],
    tests: [
      `${extension}/test/envelope/{aad,aead,base64url,blind-index,bound,bounds,codec,rewrap,vectors}.test.ts`,
    ],
  },
  keys: {
    mutate: [
      `${extension}/src/keys/{memory,lifecycle,reading,indexes,root,tenants}/*.ts`,
      `${extension}/src/keys/{keyring,open-keyring,options,stats}.ts`,
    ],
    tests: [`${extension}/test/keys/{${keys.join(',')}}.test.ts`],
  },
  providers: {
    mutate: [`${extension}/src/keys/providers/*.ts`],
    tests: [
      `${extension}/test/keys/{aws-guide,aws-keyring,aws-kms,aws-kms-errors,aws-kms-keys,aws-kms-manage,aws-kms-meanings,aws-kms-options,aws-kms-replicas,guarded-root,local,regions,rewrap-deks-aws}.test.ts`,
    ],
  },
  stores: {
    mutate: [
      `${extension}/src/keys/stores/{apply,document,file,file-document,file-lock,ids,memory}.ts`,
    ],
    tests: [
      `${extension}/test/keys/{lifecycle,store-vectors}.test.ts`,
      `${extension}/test/keys/stores/{document,file,file-crash,file-lock,ids,memory}.test.ts`,
    ],
  },
  query: {
    mutate: [`${extension}/src/query/*.ts`],
    tests: [`${extension}/test/query/!(new-id).test.ts`],
  },
  engine: {
    mutate: [
      `${migrator}/src/engine/{commits,counts,deks,divide,events,options,value-code,values}.ts`,
      `${migrator}/src/drain/{destroyed,drained,fence,reencrypt,stale-keys,strategy,under-keyring}.ts`,
    ],
    tests: [`${migrator}/test/engine/*.test.ts`],
  },
}
