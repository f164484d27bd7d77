package sqlstore_test

import (
	"os"
	"testing"

	"github.com/flussi-go/flussi/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
