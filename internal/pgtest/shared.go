package pgtest

import (
	"slices"
	"sync"
	"testing"
)

// shared is the server that the tests of a package share.
var shared struct {
	sync.Mutex
	server *Server
	ends   []func()
}

// Shared returns a server that all tests of a package share, which is quicker than one each: for
// those that leave it as it is, and work in a database of their own. It needs [Main].
func Shared(t T) *Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		shared.server = Start(lasting{t})
	}
	return shared.server
}

// Main runs the tests of a package, ends the server that they shared, and returns the exit code:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
func Main(m *testing.M) int {
	defer func() {
		for _, end := range slices.Backward(shared.ends) {
			end()
		}
	}()
	return m.Run()
}

// lasting is a test whose clean-up waits for all tests.
type lasting struct{ T }

func (l lasting) Cleanup(f func()) { shared.ends = append(shared.ends, f) }
