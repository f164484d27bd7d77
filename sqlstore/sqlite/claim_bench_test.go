package sqlite_test

import (
	"testing"

	"github.com/flussi-go/flussi/internal/must"
)

// BenchmarkClaim claims 20 notifications at a time.
func BenchmarkClaim(b *testing.B) {
	s := open(b, newFile(b))
	of := save(b, s, 20*b.N)
	b.ResetTimer()
	for range b.N {
		must.Get(claim(s, of, 20))(b)
	}
}
