# Unwraps a KEK that a local root key wrapped: `python3 kek.py ROOT_KEY KEYRING KEY_ID WRAPPED_KEK`, keys in hex.
# Prints the KEK, the first column of open.py's input. Needs the package `cryptography`.
import sys
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

root, keyring, key_id, wrapped = sys.argv[1:]
aad = b"rowseal/v1/local-kek" + int(key_id).to_bytes(4, "big") + keyring.encode()
sealed = bytes.fromhex(wrapped)
print(AESGCM(bytes.fromhex(root)).decrypt(sealed[:12], sealed[12:], aad).hex())
