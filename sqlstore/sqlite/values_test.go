package sqlite_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

// database/sql quotes a value that it cannot convert to the type of a field.
func TestAnErrorThatIsNotKnownShowsNothingOfIt(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "massivo.db"))
	for _, cause := range []error{
		errors.New(`sql: Scan error on column index 3, name "amount": converting driver.Value type string ("segreta") to a int64: invalid syntax`),
		fmt.Errorf("sql: converting argument $1 type: %w", errors.New("segreta")),
	} {
		err := s.Fail(t.Context(), "read notification", uuid.New(), cause)
		fault := must.As[*sqlite.Fault](t, err)
		require.False(t, leaktest.Shows(fmt.Sprintf("%v %+v %#v %s %v %+v", err, err, err, flussi.Explain(err), fault, fault), "segreta"))
		require.ErrorIs(t, err, cause)
		require.ErrorIs(t, err, sqlite.ErrFailed)
	}
}
