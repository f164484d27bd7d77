package engine_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/internal/sampletest"
	"github.com/flussi-go/flussi/sqlstore/postgres"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

// raw is a store, and what its database holds.
type raw struct {
	flow.Store
	contents func() string // as it is
	closed   func() string // once the store is closed, which cannot be used then
}

func rawSQLite(t *testing.T) raw {
	path := filepath.Join(t.TempDir(), "flussi.db")
	s := must.Get(sqlite.Open(context.Background(), path, sqlite.Config{}))(t)
	contents := func() string {
		var all strings.Builder
		for _, name := range must.Get(filepath.Glob(path + "*"))(t) {
			all.Write(must.Get(os.ReadFile(name))(t))
		}
		return all.String()
	}
	return raw{s, contents, func() string {
		require.NoError(t, s.Close())
		return contents()
	}}
}

func rawPostgres(t *testing.T) raw {
	pool := must.Get(pgxpool.New(context.Background(), pgtest.Shared(t).Database(t)))(t)
	t.Cleanup(pool.Close)
	schema := fmt.Sprintf("test%d", schemas.Add(1))
	s := must.Get(postgres.New(pool, postgres.Config{Schema: schema}))(t)
	require.NoError(t, s.Migrate(t.Context()))
	contents := func() string {
		rows := must.Get(pool.Query(t.Context(), "SELECT table_name FROM information_schema.tables WHERE table_schema = $1", schema))(t)
		var tables []string
		var name string
		for rows.Next() {
			require.NoError(t, rows.Scan(&name))
			tables = append(tables, name)
		}
		require.NoError(t, rows.Err())
		var all strings.Builder
		for _, name := range tables {
			var text string
			row := pool.QueryRow(t.Context(), "SELECT coalesce(string_agg(t::text, ' '), '') FROM "+schema+"."+name+" t")
			require.NoError(t, row.Scan(&text))
			all.WriteString(text)
		}
		return all.String()
	}
	return raw{s, contents, contents}
}

const said = "Frase della piattaforma"

// refusing is a Sender that refuses some messages with many words.
type refusing struct{ sent int }

func (s *refusing) Submit(context.Context, appio.Message) (appio.Receipt, error) {
	s.sent++
	if s.sent%10 != 0 {
		return appio.Receipt{ID: appio.MessageID(fmt.Sprintf("01JN6Q5CZ3VGTA%012d", s.sent)), Attempts: 1}, nil
	}
	kind, status := flussi.ErrRemoteForbidden, 403
	if s.sent%100 == 0 {
		kind, status = flussi.ErrUnauthorized, 401
	}
	return appio.Receipt{}, &flussi.RemoteError{
		Package: "appio", Platform: "App IO", Operation: "submit message", Kind: kind, Outcome: flussi.OutcomeRefused,
		Status: status, FromService: true, Answer: flussi.NewText(strings.Repeat(said+" ", 20)), Attempts: 1,
	}
}

func (s *refusing) Message(context.Context, flussi.FiscalCode, appio.MessageID) (appio.MessageState, error) {
	return appio.MessageState{}, nil
}

func (s *refusing) Profile(context.Context, flussi.FiscalCode) (appio.Profile, error) {
	return appio.Profile{}, nil
}

// Neither the texts of messages nor the platform's words remain in the files of SQLite, or in a
// table of PostgreSQL. Long contents are in pages of their own.
func TestAnonymisedDatabasesHoldNoTexts(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) raw{"SQLite": rawSQLite, "PostgreSQL": rawPostgres} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			by := flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
			one := &refusing{}
			sender := func(context.Context, string) (flow.Sender, error) { return one, nil }
			service := must.Get(flow.NewService(s, flow.Permissions{by.ID: {"tributi"}}, sender, flow.ServiceConfig{}))(t)
			dispatcher := must.Get(flow.NewDispatcher(s, sender, flow.DispatcherConfig{Workers: 1}))(t)
			drafts := make([]flow.Draft, 250)
			for i := range drafts {
				drafts[i] = flow.Draft{
					Recipient: sampletest.FiscalCode(i), Subject: flussi.NewText(fmt.Sprintf("Oggetto riservato %d", i)),
					Content: flussi.NewText(strings.Repeat(fmt.Sprintf("Contenuto riservato %d. ", i), 10+i)), Reference: "Riferimento riservato",
				}
			}
			f, _, err := service.ImportFlow(t.Context(), by, "tributi", flow.Details{}, flow.DraftRows(drafts...), flow.AddConfig{})
			require.NoError(t, err)
			must.Get(service.ActivateFlow(t.Context(), by, f.ID))(t)
			stops := 0
			for f.State != flow.FlowSent { // a refused key stops it; other refusals are corrected
				must.Get(service.SendFlow(t.Context(), by, f.ID))(t)
				if f, err = dispatcher.Run(t.Context(), f.ID); err != nil {
					require.ErrorAs(t, err, new(*flow.StopError))
					require.Contains(t, f.Error, said)
					stops++
				}
				failed := must.Get(service.Notifications(t.Context(), by, flow.NotificationFilter{Flow: f.ID, ErrorCodes: []flow.ErrorCode{flow.CodeNotPermitted}}, flow.Page{}))(t)
				for _, n := range failed.Notifications {
					must.Get(service.RegisterNotification(t.Context(), by, n.ID))(t)
				}
				f = must.Get(service.Flow(t.Context(), by, f.ID))(t)
			}
			require.NotZero(t, stops)
			texts := []string{said, "Oggetto riservato", "oggetto riservato", "Contenuto riservato", "Riferimento riservato", sampletest.FiscalCode(1).Reveal()}
			before := s.contents()
			for _, text := range texts {
				require.Contains(t, before, text)
			}
			time.Sleep(time.Millisecond)
			assert.Equal(t, len(drafts), must.Get(service.Anonymise(t.Context(), by, "tributi", time.Now()))(t))
			records := must.Get(s.FlowHistory(t.Context(), f.ID))(t)
			assert.Equal(t, flow.FlowAnonymise, records[len(records)-1].Action)
			after := s.closed()
			for _, text := range texts {
				assert.False(t, strings.Contains(after, text), text)
			}
			assert.Contains(t, after, "App IO non consente al servizio", "the reasons remain")
		})
	}
}
