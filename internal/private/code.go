package private

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync"
)

// MaxCode is how many characters a [Code] may have.
const MaxCode = 24

// Code is a code of upper-case letters and digits, at most [MaxCode] of them, that
// fmt does not reveal: it is kept encrypted with a key that the process draws when
// the first code is made. Unlike [Text] it takes no memory of its own, so that making
// one costs a twentieth. The zero value is the empty code. Codes are immutable and safe
// for concurrent use.
type Code struct {
	sealed [aes.BlockSize]byte
}

// symbols are what a code is made of; the place of each is its value, and 0 is none.
const symbols = "\x000123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// values are the places of the symbols.
var values = func() (table [256]uint64) {
	for value := 1; value < len(symbols); value++ {
		table[symbols[value]] = uint64(value)
	}
	return table
}()

// codeKey is the key of this process.
var codeKey = sync.OnceValue(func() cipher.Block {
	key := make([]byte, 16)
	_, _ = rand.Read(key) // never fails
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("private: " + err.Error())
	}
	return block
})

// CodeOf returns the code s. It panics if s is none: the caller has to check.
func CodeOf(s string) Code {
	if s == "" {
		return Code{}
	}
	if len(s) > MaxCode {
		panic("private: the code is too long")
	}
	var halves [2]uint64
	for i := range len(s) {
		value := values[s[i]]
		if value == 0 {
			panic("private: the code has a character that codes do not have")
		}
		half := &halves[i/(MaxCode/2)]
		*half = *half*uint64(len(symbols)) + value
	}
	var block [aes.BlockSize]byte
	binary.BigEndian.PutUint64(block[:], halves[0])
	binary.BigEndian.PutUint64(block[8:], halves[1])
	codeKey().Encrypt(block[:], block[:])
	return Code{block}
}

// IsZero reports whether the code is empty.
func (c Code) IsZero() bool { return c == Code{} }

// Reveal returns the code itself.
func (c Code) Reveal() string {
	if c.IsZero() {
		return ""
	}
	block := c.sealed
	codeKey().Decrypt(block[:], block[:])
	var text [MaxCode]byte
	first := unpack(text[:MaxCode/2], binary.BigEndian.Uint64(block[:]))
	second := unpack(text[MaxCode/2:], binary.BigEndian.Uint64(block[8:]))
	n := copy(text[:], text[first:MaxCode/2])
	n += copy(text[n:], text[MaxCode/2+second:])
	return string(text[:n])
}

// unpack writes the symbols of half a code to the end of b, and returns where they
// begin.
func unpack(b []byte, half uint64) int {
	i := len(b)
	for ; half > 0; half /= uint64(len(symbols)) {
		i--
		b[i] = symbols[half%uint64(len(symbols))]
	}
	return i
}

// Mask is [Text.Mask].
func (c Code) Mask(name string) string { return mask(c.IsZero(), name) }

// WriteMask is [Text.WriteMask].
func (c Code) WriteMask(f fmt.State, verb rune, pkg, name string) {
	writeMask(f, verb, pkg, c.Mask(name))
}
