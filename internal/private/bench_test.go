package private_test

import (
	"fmt"
	"testing"

	"github.com/flussi-go/flussi/internal/private"
)

// Making values that are new, as reading a list of citizens does.
func BenchmarkNew(b *testing.B) {
	texts := func(b *testing.B) []string {
		all := make([]string, b.N)
		for i := range all {
			all[i] = fmt.Sprintf("%016d", i)
		}
		b.ResetTimer()
		return all
	}
	b.Run("code", func(b *testing.B) {
		b.ReportAllocs()
		all := texts(b)
		made := make([]private.Code, b.N)
		for i, s := range all {
			made[i] = private.CodeOf(s)
		}
	})
	b.Run("text", func(b *testing.B) {
		b.ReportAllocs()
		all := texts(b)
		made := make([]private.Text, b.N)
		for i, s := range all {
			made[i] = private.Of(s)
		}
	})
}
