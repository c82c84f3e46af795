// Opens Rowseal envelopes by docs/spec/envelope-v1.md alone: input and output as in open.py.
package main

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"
)

var form = regexp.MustCompile(`^rs1\.([0-9a-f]{8})\.([A-Za-z0-9_-]+)$`)

func openEnvelope(key []byte, field, text string, bound []string) string {
	parts := form.FindStringSubmatch(text)
	body, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	check(err == nil)
	at := 61
	if body[0] == 2 {
		blob := int(binary.BigEndian.Uint16(body[1:]))
		at = 3 + blob
		check(blob >= 1 && blob <= 4096)
	}
	check((body[0] == 1 || body[0] == 2) && len(body) > at+28)
	if body[0] == 1 { // wrap nonce, wrapped DEK with its tag
		keyId, _ := hex.DecodeString(parts[1])
		key = gcm(key, body[1:13], body[13:61], append([]byte("rowseal/v1/dek\x01"), keyId...))
	}
	aad := append([]byte("rowseal/v1/value"), body[0])
	aad = append(lp(aad, field), byte(len(bound)))
	for _, part := range bound {
		aad = lp(aad, part)
	}
	plain := gcm(key, body[at:at+12], body[at+12:], aad)
	codec, value := map[byte]string{1: "String", 2: "Json", 3: "Bytes"}[plain[0]&0x7f], plain[1:]
	if plain[0]&0x80 != 0 { // padded
		size := binary.BigEndian.Uint32(value)
		value = value[4:]
		check(len(value) > 0 && len(bytes.Trim(value[size:], "\x00")) == 0)
		value = value[:size]
	}
	check(codec != "" && (codec == "Bytes" || utf8.Valid(value)))
	return codec + "\t" + hex.EncodeToString(value)
}

func gcm(key, nonce, sealed, aad []byte) []byte {
	check(len(key) == 32)
	block, _ := aes.NewCipher(key)
	aead, _ := cipher.NewGCM(block)
	plain, err := aead.Open(nil, nonce, sealed, aad)
	check(err == nil)
	return plain
}

func lp(to []byte, part string) []byte {
	size := make([]byte, 4)
	binary.BigEndian.PutUint32(size, uint32(len(part)))
	return append(append(to, size...), part...)
}

func check(isRight bool) {
	if !isRight {
		panic("refused")
	}
}

func answer(line string) (result string) {
	defer func() {
		if recover() != nil {
			result = "refused"
		}
	}()
	part := strings.Split(line, "\t")
	key, _ := hex.DecodeString(part[0])
	return openEnvelope(key, part[1], part[2], part[3:])
}

func main() {
	for in := bufio.NewReader(os.Stdin); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		fmt.Println(answer(strings.TrimSuffix(line, "\n")))
	}
}
