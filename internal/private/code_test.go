package private_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi/internal/private"
)

func TestCodesComeBackAsTheyWere(t *testing.T) {
	for _, s := range []string{"", "0", "A", "Z", "00", "0000000000000000", "MSCMHL68P18H211K", "301005100001400678", "ZZZZZZZZZZZZZZZZZZZZZZZZ", "000000000000000000000000", "AAAAAAAAAAAA", "AAAAAAAAAAAAB"} {
		code := private.CodeOf(s)
		assert.Equal(t, s, code.Reveal())
		assert.Equal(t, s == "", code.IsZero())
		assert.Equal(t, code, private.CodeOf(s), "equal codes are equal")
	}
	seen := map[private.Code]string{}
	for i := range 10_000 {
		s := fmt.Sprintf("%d", i)
		for _, s := range []string{s, "0" + s} {
			other, taken := seen[private.CodeOf(s)]
			assert.True(t, !taken || other == s, "%s and %s", s, other)
			seen[private.CodeOf(s)] = s
		}
	}
}

func FuzzCode(f *testing.F) {
	f.Add("MSCMHL68P18H211K")
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > private.MaxCode || strings.Trim(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			assert.Panics(t, func() { private.CodeOf(s) })
			return
		}
		assert.Equal(t, s, private.CodeOf(s).Reveal())
	})
}

func TestCodesDoNotPrint(t *testing.T) {
	holder := struct{ code private.Code }{private.CodeOf("MSCMHL68P18H211K")}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%c", "%U", "%p"} {
		printed := strings.ToUpper(fmt.Sprintf(verb, holder))
		assert.NotContains(t, printed, "MSCMHL", verb)
		assert.NotContains(t, printed, strings.ToUpper(fmt.Sprintf("%x", "MSCMHL")), verb)
		assert.NotContains(t, printed, "77 83 67", verb)
	}
}
