package postgres_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/sqlstore/postgres"
)

// requireHidden checks that an error of a store shows no value, as text or as its bytes.
func requireHidden(t *testing.T, err error, secrets ...string) {
	t.Helper()
	fault := must.As[*postgres.Fault](t, err)
	shown := fmt.Sprintf("%v %+v %#v %s %v %+v", err, err, err, flussi.Explain(err), fault, fault)
	for _, secret := range secrets {
		require.False(t, leaktest.Shows(shown, secret), shown)
	}
}

// pgx quotes a value that it cannot convert to the type of its column, whatever the default mode of
// the connections is. Here the columns have other types than the store expects.
func TestNoErrorQuotesAValue(t *testing.T) {
	ctx, code := t.Context(), appiotest.SampleCitizen(1).Reveal()
	for _, mode := range []string{"cache_describe", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			location := with(t, pgtest.Shared(t).Database(t), "", "default_query_exec_mode", mode)
			s, pool := open(t, location), newPool(t, location)
			f := saveFlow(t, s, 2)
			id := must.Get(s.Notifications(ctx, flow.NotificationFilter{Flow: f}, flow.Page{Limit: 1}))(t)[0].ID
			execute(t, pool, "ALTER TABLE flussi.properties ALTER value TYPE bigint USING 0",
				"ALTER TABLE flussi.notifications ALTER amount TYPE text USING '"+code+"'")
			_, err := s.Property(ctx, "purpose", code)
			requireHidden(t, err, code)
			_, err = s.Notification(ctx, id) // scanned
			requireHidden(t, err, code)
			made, rows := newFlow(t, 1)
			execute(t, pool, "ALTER TABLE flussi.notifications ALTER subject TYPE varchar(5) USING 'x', ALTER amount TYPE bigint USING 0",
				"ALTER TABLE flussi.notifications ADD CHECK (length(recipient) < 5) NOT VALID")
			err = s.SaveFlow(ctx, made, rows) // refused by the server, whose details have the row
			requireHidden(t, err, code, "riservato")
			execute(t, pool, "ALTER TABLE flussi.notifications ALTER id TYPE text")
			_, err = s.Notification(ctx, id) // pgx cannot encode the ID
			requireHidden(t, err, "unable to encode", string(id[:]))
		})
	}
}

// Programs pass our values to pgx themselves. It quotes those that it cannot encode, and its modes
// differ in which these are.
func TestPgxShowsNoValueThatItCannotEncode(t *testing.T) {
	pool := newPool(t, pgtest.Shared(t).Database(t))
	code, text := appiotest.SampleCitizen(1), flussi.NewText("Oggetto riservato")
	n := must.Get(flow.NewNotification("tributi", code, operator))(t)
	n.Subject = text
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		for _, v := range []any{n, []flow.Notification{n}, struct{ hidden flussi.FiscalCode }{code}, []struct{ Text flussi.Text }{{text}}, map[flussi.FiscalCode]flussi.Text{code: text}} {
			_, err := pool.Exec(t.Context(), "SELECT $1::bigint", mode, v)
			require.ErrorContains(t, err, "unable to encode")
			shown := fmt.Sprintf("%v %+v %#v", err, err, err)
			require.False(t, leaktest.Shows(shown, code.Reveal()) || leaktest.Shows(shown, "riservato"), shown)
		}
	}
}

func TestAnErrorThatIsNotKnownShowsNothingOfIt(t *testing.T) {
	s := open(t, pgtest.Shared(t).Database(t))
	for _, cause := range []error{
		errors.New(`failed to encode args[0]: unable to encode "segreta" into binary format for int8 (OID 20)`),
		fmt.Errorf("can't scan into dest[3]: %w", errors.New(`cannot scan "segreta"`)),
		&pgconn.PgError{Code: "23505", Message: `duplicate key "segreta"`, Detail: "Key (recipient)=(segreta) already exists.", Where: "segreta"},
	} {
		err := s.Fail(t.Context(), "save flow", uuid.New(), cause)
		requireHidden(t, err, "segreta")
		require.ErrorIs(t, err, cause)
		require.ErrorIs(t, err, postgres.ErrFailed)
	}
}
