import { describe, expect, test } from 'vitest'
import { OpenSites, type SealSite } from '../../src/query/index.ts'
import { atClinic } from './clinic-walks.ts'
import { A, atLibrary } from './library-walks.ts'
import { open, stored } from './stored-rows.ts'

const { walks } = atClinic()
const library = atLibrary()

describe('what this operation sealed itself', () => {
  test('is not opened when it comes back in its field', async () => {
    const sealed = new Map<string, SealSite>()
    const [row] = await stored(
      walks(),
      'Patient',
      [{ id: 1, secret: 's', notes: { a: 1 } }],
      sealed,
    )
    expect(sealed.size).toBe(2)
    const { chunks } = await open(walks(), 'Patient', row, new OpenSites(sealed))
    expect(chunks).toStrictEqual([])
    expect(row).toMatchObject({ secret: 's', notes: { a: 1 } })
  })

  test('is opened, and so refused, when it comes back in another', async () => {
    const sealed = new Map<string, SealSite>()
    const [row] = await stored(walks(), 'Patient', [{ id: 1, secret: 's' }], sealed)
    const moved = { id: 1, notes: row.secret }
    await expect(open(walks(), 'Patient', moved, new OpenSites(sealed))).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_AUTH',
    })
  })

  test('is opened, and so refused, when it comes back in another record than it is bound to', async () => {
    const sealed = new Map<string, SealSite>()
    const id = A
    const [row] = await stored(library.walks(), 'Note', [{ id, tenantId: 1, text: 't' }], sealed)
    const same = { ...row }
    await open(library.walks(), 'Note', same, new OpenSites(sealed))
    expect(same.text).toBe('t')
    await expect(
      open(library.walks(), 'Note', { ...row, tenantId: 2 }, new OpenSites(sealed)),
    ).rejects.toMatchObject({ code: 'ERR_ENVELOPE_AUTH', field: 'Note.text' })
    await expect(open(library.walks(), 'Note', { id, text: row.text })).rejects.toThrow(TypeError)
  })
})
