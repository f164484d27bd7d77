package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/benchtest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	settlements "github.com/flussi-go/flussi/pagoinrete/settlement/memstore"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

// The benchmarks are small by default. The size that documents speak of is
//
//	go test ./examples/segreteria -run '^$' -bench . -benchtime 1x -rows 100000 -timeout 1h
var rows = flag.Int("rows", 500, "how many notices the benchmarks transmit, verify and reconcile")

const due = flussi.Cents(5_000) // of each notice

// numberOf is the notice number with a serial number.
func numberOf(serial int64) string {
	digits := uint64(3_010_000_000_000_000) + uint64(serial)
	return fmt.Sprintf("%d%02d", digits, digits%93)
}

// drafts are of so many pupils.
func drafts(n int) iter.Seq2[pagoinrete.NoticeRow, error] {
	return func(yield func(pagoinrete.NoticeRow, error) bool) {
		for i := range n {
			draft := pagoinrete.NoticeDraft{Debtor: appiotest.SampleCitizen(1_000_000 + i), Payer: appiotest.SampleCitizen(i)}
			if !yield(pagoinrete.NoticeRow{Number: i + 1, Draft: draft}, nil) {
				return
			}
		}
	}
}

// stores are those that are measured.
func stores(b *testing.B) map[string]func() pagoinrete.Store {
	return map[string]func() pagoinrete.Store{
		"memory": func() pagoinrete.Store { return memstore.New() },
		"SQLite": func() pagoinrete.Store { return onSQLite(b) },
	}
}

func onSQLite(b *testing.B) *sqlite.Store {
	store := must.Get(sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "segreteria.db"), sqlite.Config{}))(b)
	b.Cleanup(func() { _ = store.Close() })
	return store
}

// onStore returns a service on a store, and a fee with so many notices that is Simulato.
func onStore(b *testing.B, store pagoinrete.Store, gateway pagoinrete.Gateway, n int) (*pagoinrete.Service, uuid.UUID) {
	permissions := pagoinrete.Permissions{assistant.ID: {school}, principal.ID: {school}}
	gateways := func(context.Context, string) (pagoinrete.Gateway, error) { return gateway, nil }
	p := must.Get(pagoinrete.NewService(store, permissions, gateways, pagoinrete.ServiceConfig{}))(b)
	e := must.Get(p.CreateEvent(b.Context(), assistant, pagoinrete.Fee, school, fee("Viaggio a Firenze", "Viaggio a Firenze", due, due)))(b)
	must.Get(p.TransmitEvent(b.Context(), assistant, e.ID))(b)
	must.Get(p.AddNotices(b.Context(), assistant, e.ID, drafts(n), pagoinrete.AddConfig{}))(b)
	return p, e.ID
}

// newTaker returns the URL of a platform that takes everything, looks at nothing, and answers
// at once.
func newTaker(b *testing.B) string {
	var serial atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		if strings.Contains(r.URL.Path, "/events/") {
			fmt.Fprintf(w, `{"id":%q,"remote_id":"E-1","state":"SIMULATO","rejection":""}`, id)
			return
		}
		n := serial.Add(1)
		fmt.Fprintf(w, `{"id":%q,"remote_id":"N-%d","number":%q,"state":"NON_NOTIFICATO","payer_registered":false,"payer_logged_in":false,"evidence":{}}`, id, n, numberOf(n))
	}))
	b.Cleanup(server.Close)
	return server.URL
}

// put is the request that a notice becomes, as a script of one's own would make it.
func put(client *http.Client, url string, n pagoinrete.Notice) error {
	body, err := json.Marshal(map[string]any{
		"event": n.EventID, "instalment": n.Instalment,
		"debtor": map[string]any{"fiscal_code": n.Debtor.Reveal(), "kind": "ALUNNO"}, "payer": n.Payer.Reveal(),
		"amount": n.Amount, "discount": n.Discount, "due_date": n.DueDate.Format(time.RFC3339),
	})
	if err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodPut, url+"/schools/"+school+"/notices/"+n.ID.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + schoolKey}, "Sidi-User": {assistant.ID}, "Sidi-Roles": {"AA"}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var there struct {
		Number string `json:"number"`
	}
	if err := json.NewDecoder(response.Body).Decode(&there); err != nil {
		return err
	}
	if response.StatusCode != http.StatusCreated || there.Number == "" {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return nil
}

// loop transmits notices by a loop that keeps no record of anything.
func loop(b *testing.B, url string, notices []pagoinrete.Notice) time.Duration {
	const workers = 8 // as a service has
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
	defer client.CloseIdleConnections()
	var next atomic.Int64
	return benchtest.Run(b, len(notices), workers, func() error { return put(client, url, notices[next.Add(1)-1]) })
}

// Transmitting the notices of an event, with all that is stored, in shares of a bare loop of
// the same requests, client and server on the same machine.
func BenchmarkTransmit(b *testing.B) {
	for name, open := range stores(b) {
		b.Run(name, func(b *testing.B) {
			var bare, program time.Duration
			for b.Loop() {
				url := newTaker(b)
				key := must.Get(flussi.ParseKey(schoolKey))(b)
				gateway := must.Get(restgateway.New(key, school, restgateway.Config{BaseURL: url, Calls: 1_000_000}))(b)
				p, event := onStore(b, open(), gateway, *rows)
				notices := make([]pagoinrete.Notice, 0, *rows)
				for n, err := range p.AllNotices(b.Context(), assistant, pagoinrete.NoticeFilter{Event: event}) {
					require.NoError(b, err)
					notices = append(notices, n)
				}
				half := notices[:len(notices)/2]
				took := loop(b, url, half) // before and after, so that what drifts strikes both
				start := time.Now()
				report, err := p.TransmitNotices(b.Context(), assistant, event)
				program += time.Since(start)
				require.NoError(b, err)
				require.Equal(b, pagoinrete.TransmitReport{Transmitted: *rows}, report)
				bare += took + loop(b, url, notices[len(half):])
			}
			b.ReportMetric(bare.Seconds()/program.Seconds(), "of_a_bare_loop")
			b.ReportMetric(float64(*rows*b.N)/program.Seconds(), "rows/s")
		})
	}
}

// paying is Pago In Rete within the program, where everybody has logged in, and pays when told
// to. It keeps a number for each notice.
type paying struct {
	pagoinrete.Gateway
	mu      sync.Mutex
	state   pagoinrete.EventState
	serials map[uuid.UUID]int64
	paid    bool
}

func (g *paying) PutEvent(ctx context.Context, _ flussi.Actor, e pagoinrete.Event) (pagoinrete.RemoteEvent, error) {
	g.state = pagoinrete.EventSimulated
	return g.Event(ctx, e.ID)
}

func (g *paying) Event(_ context.Context, id uuid.UUID) (pagoinrete.RemoteEvent, error) {
	return pagoinrete.RemoteEvent{ID: id, RemoteID: "E-1", State: g.state}, nil
}

func (g *paying) MoveEvent(ctx context.Context, _ flussi.Actor, id uuid.UUID, action pagoinrete.EventAction, _ flussi.Text) (pagoinrete.RemoteEvent, error) {
	var err error
	if g.state, err = pagoinrete.EventMachine().Next(g.state, action); err != nil {
		return pagoinrete.RemoteEvent{}, err
	}
	return g.Event(ctx, id)
}

func (g *paying) PutNotice(_ context.Context, _ flussi.Actor, n pagoinrete.Notice) (pagoinrete.RemoteNotice, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.serials[n.ID] = int64(len(g.serials))
	return g.notice(n.ID, pagoinrete.NoticeNotNotified)
}

func (g *paying) notice(id uuid.UUID, state pagoinrete.NoticeState) (pagoinrete.RemoteNotice, error) {
	number, err := flussi.ParseNoticeNumber(numberOf(g.serials[id]))
	return pagoinrete.RemoteNotice{ID: id, RemoteID: "N-1", Number: number, State: state}, err
}

var payday = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func (g *paying) Notices(_ context.Context, ids []uuid.UUID) ([]pagoinrete.RemoteNotice, error) {
	found := make([]pagoinrete.RemoteNotice, len(ids))
	for i, id := range ids {
		n, err := g.notice(id, pagoinrete.NoticeNotified)
		if err != nil {
			return nil, err
		}
		n.PayerRegistered, n.PayerLoggedIn = true, true
		if g.paid {
			n.State = pagoinrete.NoticePaidOnline
			n.Evidence.Receipt = pagoinrete.Proof{Reference: fmt.Sprintf("RT-%d", g.serials[id]), Amount: due, Date: payday}
		}
		found[i] = n
	}
	return found, nil
}

// statement is a settlement with a row for each notice, as a file of that length would be.
func statement(b *testing.B, n int, id string) settlement.File {
	rows := func(yield func(paymentfile.Payment, error) bool) {
		for i := range n {
			number := must.Get(flussi.ParseNoticeNumber(numberOf(int64(i))))(b)
			row := paymentfile.Payment{
				Number: i + 1, Reference: paymentfile.NewReference(number.IUV().Reveal()), IUR: strconv.Itoa(i), Index: 1, Amount: due, SignedAmount: due, Date: today(),
			}
			if !yield(row, nil) {
				return
			}
		}
	}
	head := paymentfile.Settlement{ID: id, Body: schoolBody, PSP: paymentfile.Party{Code: "BNITITRRXXX"}, Total: due * flussi.Cents(n), Date: today()}
	return settlement.File{Header: head, Payments: rows}
}

// measured is what a call cost.
type measured struct {
	rows float64 // a second
	heap float64 // MiB
}

func measure(n int, f func()) measured {
	start := time.Now()
	heap := benchtest.Peak(f)
	return measured{float64(n) / time.Since(start).Seconds(), float64(heap) / (1 << 20)}
}

// follow verifies and reconciles all notices of an event of n, on SQLite, and returns what each
// call cost.
func follow(b *testing.B, n int) map[string]measured {
	g := &paying{serials: make(map[uuid.UUID]int64, n)}
	p, event := onStore(b, onSQLite(b), g, n)
	must.Get(p.TransmitNotices(b.Context(), assistant, event))(b)
	for _, step := range []func() error{
		func() error { return second(p.SubmitEvent(b.Context(), assistant, event)) },
		func() error { return second(p.ApproveEvent(b.Context(), principal, event)) },
		func() error { return second(p.NotifyEvent(b.Context(), assistant, event)) },
	} {
		require.NoError(b, step())
	}
	g.paid = true
	cost := map[string]measured{}
	cost["verify"] = measure(n, func() {
		_, report, err := p.VerifyEvent(b.Context(), assistant, event)
		require.NoError(b, err)
		require.Equal(b, pagoinrete.VerifyReport{Asked: n, Changed: n}, report)
	})
	files := must.Get(paymentFiles(p, settlements.New()))(b)
	cost["settlement"] = measure(n, func() {
		applied := must.Get(files.ApplySettlement(b.Context(), assistant, statement(b, n, "FR-1")))(b)
		require.Equal(b, settlement.Tally{Number: n, Amount: due * flussi.Cents(n)}, applied.Settlement.Counts.Expected)
	})
	cost["journal"] = measure(n, func() {
		journal := paymentfile.Journal{ID: "GDC-1", BankABI: "99999", Body: schoolBody, Year: 2026}
		must.Get(files.ApplyJournal(b.Context(), assistant, journal, sequence(incoming("1", due*flussi.Cents(n), "/PUR/LGPE-RIVERSAMENTO/URI/FR-1"))))(b)
	})
	for _, n := range must.Get(p.Notices(b.Context(), assistant, pagoinrete.NoticeFilter{Event: event}, pagoinrete.Page{}))(b).Notices {
		require.Equal(b, pagoinrete.NoticeReconciled, n.State)
	}
	return cost
}

// Verifying and reconciling all notices of an event, on SQLite: how many a second, how that
// compares with an event of a quarter of them, and how much heap it takes beyond what there is.
func BenchmarkFollow(b *testing.B) {
	costs := map[string][2]measured{}
	for b.Loop() {
		few, all := follow(b, max(1, *rows/4)), follow(b, *rows)
		for call := range all {
			costs[call] = [2]measured{few[call], all[call]} // of the last turn
		}
	}
	for call, cost := range costs {
		b.ReportMetric(cost[1].rows, call+"-rows/s")
		b.ReportMetric(cost[1].rows/cost[0].rows, call+"-of-a-quarter")
		b.ReportMetric(cost[1].heap, call+"-MiB")
		if cost[1].heap > 64 {
			b.Errorf("%s takes %.0f MiB of heap", call, cost[1].heap)
		}
	}
}

// sequence gives rows as a file would.
func sequence[T any](rows ...T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }
