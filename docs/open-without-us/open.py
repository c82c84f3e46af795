# Opens Rowseal envelopes by docs/spec/envelope-v1.md alone. A line of input, separated by tabs, and one of output:
#     KEK in hex   field id   envelope   bound columns…    →    String, Json or Bytes   value in hex    (or: refused)
# In suite 0x02 the first is the DEK, from the KMS. Needs the package `cryptography`.
import base64, re, sys
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

def open_envelope(key, field, text, bound):
    key_id, encoded = re.fullmatch(r"rs1\.([0-9a-f]{8})\.([A-Za-z0-9_-]+)", text).groups()
    body = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    assert base64.urlsafe_b64encode(body).rstrip(b"=").decode() == encoded  # one value has one spelling
    suite, blob = body[0], int.from_bytes(body[1:3], "big")
    at = {1: 61, 2: 3 + blob}[suite]
    assert len(body) > at + 28 and (suite == 1 or 1 <= blob <= 4096)
    if suite == 1:  # wrap nonce, wrapped DEK with its tag
        key = AESGCM(key).decrypt(body[1:13], body[13:61], b"rowseal/v1/dek\1" + bytes.fromhex(key_id))
    assert len(key) == 32
    lp = lambda part: len(part).to_bytes(4, "big") + part
    aad = b"rowseal/v1/value" + body[:1] + lp(field) + bytes([len(bound)]) + b"".join(map(lp, bound))
    plain = AESGCM(key).decrypt(body[at : at + 12], body[at + 12 :], aad)
    codec, value = {1: "String", 2: "Json", 3: "Bytes"}[plain[0] & 0x7F], plain[1:]
    if plain[0] & 0x80:  # padded
        size = int.from_bytes(value[:4], "big")
        assert len(value) >= 4 + max(size, 1) and not any(value[4 + size :])
        value = value[4 : 4 + size]
    if codec != "Bytes":
        value.decode("utf-8")
    return f"{codec}\t{value.hex()}"

for line in sys.stdin.buffer:
    key, field, text, *bound = line.rstrip(b"\n").split(b"\t")
    try:
        print(open_envelope(bytes.fromhex(key.decode()), field, text.decode(), bound))
    except Exception:
        print("refused")
