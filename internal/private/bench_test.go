package private_test

import (
	"fmt"
	"testing"

	"github.com/flussi-go/flussi/internal/private"
)

// Making values that are new, as reading a list of citizens does.
func BenchmarkNew(b *testing.B) {
	b.Run("code", func(b *testing.B) { makeAll(b, private.CodeOf) })
	b.Run("text", func(b *testing.B) { makeAll(b, private.Of) })
}

func makeAll[T any](b *testing.B, of func(string) T) {
	b.ReportAllocs()
	texts := make([]string, b.N)
	for i := range texts {
		texts[i] = fmt.Sprintf("%016d", i)
	}
	made := make([]T, b.N)
	b.ResetTimer()
	for i, s := range texts {
		made[i] = of(s)
	}
}
