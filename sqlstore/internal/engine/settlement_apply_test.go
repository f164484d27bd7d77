package engine_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/benchtest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/sqlstore/postgres"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

// office applies the files of a body: one settlement with some rows, and a journal with movements,
// of which three transfer it.
type office struct {
	*settlement.Service
	body      flussi.OrganizationCode
	rows      int
	movements int
}

func newOffice(store settlement.Store, due settlement.Due, body flussi.OrganizationCode, rows, movements int) (*office, error) {
	s, err := settlement.NewService(store, settlement.Permissions{clerk.ID: {body}}, due)
	return &office{s, body, rows, movements}, err
}

func (o *office) head() paymentfile.Settlement {
	return paymentfile.Settlement{ID: "2026-03-02BANKITXX-000001", Body: o.body, PSP: paymentfile.Party{Code: "BANKITXX"}, CreatedAt: begin,
		TransferID: "TRN1", Date: paymentfile.Day{Year: 2026, Month: 3, Day: 2}, Total: flussi.Cents(o.rows) * 5000}
}

func (o *office) payments() iter.Seq2[paymentfile.Payment, error] {
	return func(yield func(paymentfile.Payment, error) bool) {
		for i := range o.rows {
			p := paymentfile.Payment{Number: i + 1, Reference: treasuryReference(i), IUR: fmt.Sprintf("IUR%09d", i), Index: 1, Amount: 5000, SignedAmount: 5000,
				Date: paymentfile.Day{Year: 2026, Month: 3, Day: 1}}
			if !yield(p, nil) {
				return
			}
		}
	}
}

func (o *office) journal() iter.Seq2[paymentfile.Movement, error] {
	return func(yield func(paymentfile.Movement, error) bool) {
		for i := range o.movements {
			m := paymentfile.Movement{Row: i + 1, Account: "1", Direction: paymentfile.Incoming, Document: paymentfile.DocumentIncomingSuspense, Operation: paymentfile.OperationExecuted,
				DocumentNumber: fmt.Sprint(i + 1), Amount: flussi.Cents(1000 + i), Date: paymentfile.Day{Year: 2026, Month: 3, Day: 3}}
			id := treasuryFlowID(i)
			switch {
			case i < 3: // the settlement, in three parts
				id = o.head().ID
				if m.Amount = o.head().Total / 3; i == 0 {
					m.Amount = o.head().Total - 2*m.Amount
				}
			case i%4 == 1: // cut
				id = id[:15]
			}
			m.Causale = flussi.NewText("/PUR/LGPE-RIVERSAMENTO/URI/" + id)
			if i%4 == 2 && i > 2 {
				m.Causale = flussi.NewText("BONIFICO MENSA FAMIGLIA RISERVATA")
			}
			if !yield(m, nil) {
				return
			}
		}
	}
}

func (o *office) applySettlement(ctx context.Context) error {
	_, err := o.ApplySettlement(ctx, clerk, settlement.File{Header: o.head(), Payments: o.payments()})
	return err
}

func (o *office) applyJournal(ctx context.Context) error {
	_, err := o.ApplyJournal(ctx, clerk, paymentfile.Journal{ID: "GDC", BankABI: "01234", Body: o.body, Year: 2026}, o.journal())
	return err
}

// result returns all that is stored of the body, without times and versions, which depend on how often
// the files were applied, and without what a later revision dropped, which is stored only if an earlier
// one was applied before.
func (o *office) result(ctx context.Context, t testing.TB) []string {
	var all []string
	for s, err := range o.AllSettlements(ctx, clerk, settlement.SettlementFilter{}) {
		require.NoError(t, err)
		s.Version, s.CreatedAt, s.UpdatedAt, s.Counts.Dropped = 0, time.Time{}, time.Time{}, settlement.Tally{}
		all = append(all, fmt.Sprintf("%+v", s))
	}
	for p, err := range o.AllPayments(ctx, clerk, settlement.PaymentFilter{}) {
		require.NoError(t, err)
		if p.Version, p.CreatedAt, p.UpdatedAt = 0, (time.Time{}), (time.Time{}); p.Dropped {
			continue
		}
		all = append(all, fmt.Sprintf("%+v %s %s", p, p.Reference.Reveal(), p.Target.Reveal()))
	}
	for m, err := range o.AllMovements(ctx, clerk, settlement.MovementFilter{}) {
		require.NoError(t, err)
		m.Version, m.CreatedAt, m.UpdatedAt = 0, time.Time{}, time.Time{}
		all = append(all, fmt.Sprintf("%+v", m))
	}
	slices.Sort(all)
	return all
}

// bills is what is due: half of the references of a settlement. It tells a function where each stands.
type bills struct {
	told func(reference, state string)
}

// Expected implements [settlement.Due].
func (bills) Expected(_ context.Context, _ flussi.OrganizationCode, references []paymentfile.Reference) (map[paymentfile.Reference]settlement.Expectation, error) {
	found := map[paymentfile.Reference]settlement.Expectation{}
	for _, r := range references {
		if text := r.Reveal(); text[len(text)-1]%2 == 0 {
			found[r] = settlement.Expectation{Owner: settlement.OwnerBody, Amount: 5000}
		}
	}
	return found, nil
}

// Update implements [settlement.Due].
func (b bills) Update(_ context.Context, _ flussi.OrganizationCode, states []settlement.ReferenceState) error {
	for _, s := range states {
		var paid []string
		for _, p := range s.Payments {
			paid = append(paid, fmt.Sprintf("%s,%s,%d,%s", p.Status, p.State, p.Amount, strings.Join(p.Movements, "+")))
		}
		b.told(s.Reference.Reveal(), strings.Join(paid, ";"))
	}
	return nil
}

// Two offices of one body that apply the same files at once, in any order, both succeed, and have the
// same as one.
func TestFilesAppliedAtOnceGiveTheSameResult(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(testing.TB) database) {
		once, both := open(t), open(t)
		newOn := func(s settlement.Store) *office {
			return must.Get(newOffice(s, bills{func(string, string) {}}, bodyNumber(0), 700, 60))(t)
		}
		alone, first, second := newOn(once), newOn(both), newOn(both)
		require.NoError(t, alone.applySettlement(t.Context()))
		require.NoError(t, alone.applyJournal(t.Context()))
		var all sync.WaitGroup
		errs := make(chan error, 4)
		for _, apply := range []func(context.Context) error{first.applySettlement, first.applyJournal, second.applyJournal, second.applySettlement} {
			all.Go(func() { errs <- apply(t.Context()) })
		}
		all.Wait()
		close(errs)
		for err := range errs {
			require.NoError(t, err)
		}
		require.Equal(t, alone.result(t.Context(), t), first.result(t.Context(), t))
	})
}

// BenchmarkApplyFiles measures an office that applies a settlement, and a journal with a tenth as many
// movements: the time for each row, and the most memory. With -rows 100000 the time must be as
// with 25000.
func BenchmarkApplyFiles(b *testing.B) {
	onBoth(b, func(b *testing.B, open func(testing.TB) database) {
		for _, n := range []int{rowsOr(400) / 4, rowsOr(400)} {
			b.Run(fmt.Sprint(n), func(b *testing.B) {
				var settled, entered []float64
				peaks := map[string]float64{}
				for b.Loop() {
					o := must.Get(newOffice(open(b), bills{func(string, string) {}}, bodyNumber(0), n, n/10))(b)
					took := func(what string, apply func(context.Context) error) time.Duration {
						start := time.Now()
						peak := benchtest.Peak(func() { require.NoError(b, apply(b.Context())) })
						peaks[what] = max(peaks[what], float64(peak)/(1<<20))
						return time.Since(start)
					}
					settled = append(settled, float64(took("settlement", o.applySettlement).Microseconds())/float64(n))
					entered = append(entered, float64(took("journal", o.applyJournal).Microseconds())/float64(n/10))
				}
				reportMedian(b, settled, "µs/payment")
				reportMedian(b, entered, "µs/movement")
				b.ReportMetric(peaks["settlement"], "MiB-settlement")
				b.ReportMetric(peaks["journal"], "MiB-journal")
			})
		}
	})
}

// BenchmarkSaveSettlement measures the store alone: a settlement with its payments, from a sequence that
// has one at a time, and a second version of all of them.
func BenchmarkSaveSettlement(b *testing.B) {
	n := rowsOr(500)
	onBoth(b, func(b *testing.B, open func(testing.TB) database) {
		var created, changed []float64
		peak := 0.0
		for b.Loop() {
			s := open(b)
			for version, rates := range []*[]float64{&created, &changed} {
				var changes settlement.Changes
				one := treasurySettlement(0)
				one.Version = int64(version)
				changes.Settlements = []settlement.SettlementChange{{Settlement: one}}
				changes.Payments = func(yield func(settlement.PaymentChange, error) bool) {
					for i := range n {
						p := treasuryPayment(i, n*10)
						p.Version = int64(version)
						if version > 0 {
							p.State = settlement.PaymentDropped
						}
						if !yield(settlement.PaymentChange{Payment: p}, nil) {
							return
						}
					}
				}
				start := time.Now()
				used := benchtest.Peak(func() { require.NoError(b, s.Save(b.Context(), changes)) })
				*rates = append(*rates, float64(n)/time.Since(start).Seconds())
				peak = max(peak, float64(used)/(1<<20))
			}
		}
		reportMedian(b, created, "created/s")
		reportMedian(b, changed, "changed/s")
		b.ReportMetric(peak, "MiB-peak")
	})
}

// applierVariable makes the binary of the test a program that applies files, which tests kill.
const applierVariable = "FLUSSI_ENGINE_APPLIER"

// places of a database, as its program is given them.
type place struct{ kind, location, schema string }

func (p place) open(ctx context.Context) (settlement.Store, func(), error) {
	if p.kind == "sqlite" {
		s, err := sqlite.Open(ctx, p.location, sqlite.Config{})
		return s, func() { _ = s.Close() }, err
	}
	pool, err := pgxpool.New(ctx, p.location)
	if err != nil {
		return nil, nil, err
	}
	s, err := postgres.New(pool, postgres.Config{Schema: p.schema})
	return s, pool.Close, err
}

// saying is a store that says when a write begins, how far it is, and when it ended.
type saying struct{ settlement.Store }

// Save implements [settlement.Store].
func (s saying) Save(ctx context.Context, c settlement.Changes) error {
	fmt.Println("begin")
	defer fmt.Println("end")
	if rows := c.Payments; rows != nil {
		c.Payments = func(yield func(settlement.PaymentChange, error) bool) {
			pulled := 0
			for row, err := range rows {
				if pulled++; pulled%100 == 0 {
					fmt.Println("pulled")
				}
				if !yield(row, err) {
					return
				}
			}
		}
	}
	return s.Store.Save(ctx, c)
}

// applyFiles is the program: it applies both files of a body, in either order.
func applyFiles(args []string) error {
	ctx := context.Background()
	store, end, err := place{args[0], args[1], args[2]}.open(ctx)
	if err != nil {
		return err
	}
	defer end()
	body, err := flussi.ParseOrganizationCode(args[3])
	if err != nil {
		return err
	}
	due := bills{func(reference, state string) { fmt.Println("told", reference, state) }}
	o, err := newOffice(saying{store}, due, body, killedRows, killedMovements)
	if err != nil {
		return err
	}
	all := []func(context.Context) error{o.applySettlement, o.applyJournal}
	if args[4] == "journal first" {
		slices.Reverse(all)
	}
	for _, apply := range all {
		if err := apply(ctx); err != nil {
			return errors.New(flussi.Explain(err))
		}
	}
	fmt.Println("done")
	return nil
}

const (
	killedRows      = 1500
	killedMovements = 450
)

// apply runs the program, and kills it after so many steps and a pause; 0: never. It returns how many
// steps it made, and notes what was told. A step is the beginning or the end of a write, 100 payments
// of one, or 100 references that were told.
func (p place) apply(t *testing.T, body flussi.OrganizationCode, order string, last int, pause time.Duration, told map[string]string) (steps int, done bool) {
	t.Helper()
	program := exec.CommandContext(t.Context(), os.Args[0], p.kind, p.location, p.schema, body.String(), order)
	program.Env = append(os.Environ(), applierVariable+"=1")
	program.Stderr = os.Stderr
	out := must.Get(program.StdoutPipe())(t)
	require.NoError(t, program.Start())
	defer func() { _ = program.Wait() }()
	references := 0
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		line := strings.SplitN(scanner.Text(), " ", 3)
		switch line[0] {
		case "told":
			told[line[1]] = line[2]
			if references++; references%100 > 0 {
				continue
			}
		case "done":
			done = true
		case "error:":
			t.Fatal(scanner.Text())
		}
		if steps++; steps == last {
			time.AfterFunc(pause, func() { _ = program.Process.Signal(syscall.SIGKILL) })
		}
	}
	_, _ = io.Copy(io.Discard, out)
	return steps, done
}

// An office that is killed while it applies files, and applies them again, has the same as one that was
// not, and told the same.
func TestKilledWhileFilesAreApplied(t *testing.T) {
	places := map[string]func(t *testing.T) (place, settlement.Store){
		"SQLite": func(t *testing.T) (place, settlement.Store) {
			p := place{kind: "sqlite", location: filepath.Join(t.TempDir(), "flussi.db")}
			s, end, err := p.open(t.Context())
			require.NoError(t, err)
			t.Cleanup(end)
			return p, s
		},
		"PostgreSQL": func(t *testing.T) (place, settlement.Store) {
			return postgresPlace(t)
		},
	}
	for name, newPlace := range places {
		t.Run(name, func(t *testing.T) {
			p, store := newPlace(t)
			of := func(body flussi.OrganizationCode) []string {
				o := must.Get(newOffice(store, bills{}, body, 0, 0))(t)
				all := o.result(t.Context(), t)
				for i := range all { // what differs between bodies
					all[i] = neutral(all[i], body)
				}
				slices.Sort(all)
				return all
			}
			wantTold := map[string]string{}
			steps, done := p.apply(t, organization(0), "settlement first", 0, 0, wantTold)
			require.True(t, done)
			want := of(organization(0))
			require.Len(t, want, 1+killedRows+killedMovements)
			killed := 0
			for round := range killRounds(t, 3) {
				body, told := organization(1+round), map[string]string{}
				order := []string{"settlement first", "journal first"}[round%2]
				for range 1 + rand.IntN(3) {
					if _, done := p.apply(t, body, order, 1+rand.IntN(steps-2), time.Duration(rand.IntN(5_000))*time.Microsecond, told); !done {
						killed++
					}
				}
				_, done := p.apply(t, body, order, 0, 0, told)
				require.True(t, done)
				require.Equal(t, want, of(body), "round %d", round)
				assert.True(t, maps.Equal(wantTold, told), "round %d: something else was told", round)
			}
			t.Logf("%d killed", killed)
			assert.Positive(t, killed)
		})
	}
}

// organization returns one of many bodies.
func organization(i int) flussi.OrganizationCode {
	code, _ := flussi.ParseOrganizationCode(fmt.Sprintf("8%010d", i)) // 11 digits
	return code
}

// aUUID matches an ID, which is derived from the body.
var aUUID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

// neutral returns what is stored of a body as of any body.
func neutral(text string, body flussi.OrganizationCode) string {
	return aUUID.ReplaceAllString(strings.ReplaceAll(text, body.String(), "body"), "ID")
}

// killRounds returns how often a test kills programs: a few times, or as FLUSSI_ROUNDS says.
func killRounds(t testing.TB, few int) int {
	t.Helper()
	given := os.Getenv("FLUSSI_ROUNDS")
	if given == "" || testing.Short() {
		return few
	}
	return must.Get(strconv.Atoi(given))(t)
}

// postgresPlace migrates a schema of its own.
func postgresPlace(t *testing.T) (place, settlement.Store) {
	p := place{kind: "postgres", location: pgtest.Shared(t).Database(t), schema: fmt.Sprintf("test%d", schemas.Add(1))}
	pool := must.Get(pgxpool.New(t.Context(), p.location))(t)
	t.Cleanup(pool.Close)
	s := must.Get(postgres.New(pool, postgres.Config{Schema: p.schema}))(t)
	require.NoError(t, s.Migrate(t.Context()))
	return p, s
}
