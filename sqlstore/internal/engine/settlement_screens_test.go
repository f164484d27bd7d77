package engine_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/golden"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
)

// treasury is a database with many settlements of four bodies, and as many payments and movements.
// The treasury has most settlements; many have the same total. One settlement has a tenth of all
// payments.
type treasury struct{ database }

const (
	openSettlements = 50 // one in so many is without a movement, or a movement without a settlement
	ofBodies        = 4
)

// bodyNumber returns one of the bodies.
func bodyNumber(i int) flussi.OrganizationCode {
	code, _ := flussi.ParseOrganizationCode(fmt.Sprintf("8018525%04d", i%ofBodies)) // 11 digits
	return code
}

func treasuryFlowID(i int) string { return fmt.Sprintf("2026-03-%02dBANKITXX-%07d", 1+i%28, i) }

func treasuryReference(i int) paymentfile.Reference {
	return paymentfile.NewReference(fmt.Sprintf("%017d", 31_000_000_000_000_000+i))
}

// fill stores n settlements, n payments and n movements.
func (a *treasury) fill(t testing.TB, n int) {
	const together = 1000
	for first := 0; first < n; first += together {
		var changes settlement.Changes
		last := min(n, first+together)
		for i := first; i < last; i++ {
			changes.Settlements = append(changes.Settlements, settlement.SettlementChange{Settlement: treasurySettlement(i)})
			changes.Movements = append(changes.Movements, settlement.MovementChange{Movement: treasuryMovement(i)})
		}
		changes.Payments = func(yield func(settlement.PaymentChange, error) bool) {
			for i := first; i < last && yield(settlement.PaymentChange{Payment: treasuryPayment(i, n)}, nil); i++ {
			}
		}
		require.NoError(t, a.Save(context.Background(), changes))
	}
}

func treasurySettlement(i int) settlement.Settlement {
	at := begin.Add(time.Duration(i) * time.Second)
	s := settlement.Settlement{ID: orderedID(i), Body: bodyNumber(i), PSP: "BANKITXX", FlowID: treasuryFlowID(i), Total: 5000, Covered: 5000,
		State: settlement.SettlementCovered, Unreported: i%1000 == 8, CreatedAt: at, UpdatedAt: at, UpdatedBy: "m.neri"}
	if i%openSettlements < ofBodies {
		s.State, s.Covered = settlement.SettlementOpen, 0
	}
	if i%3 == 0 {
		s.Total = flussi.Cents(10_000 + i)
	}
	return s
}

func treasuryPayment(i, n int) settlement.Payment {
	s := treasurySettlement(i)
	if i < n/10 {
		s = treasurySettlement(0)
	}
	p := settlement.Payment{ID: orderedID(1<<28 + i), Settlement: s.ID, Body: s.Body, Reference: treasuryReference(i), Target: treasuryReference(i), IUR: fmt.Sprint(i),
		Amount: 5000, State: settlement.PaymentExpected, CreatedAt: s.CreatedAt.Add(time.Duration(i)), UpdatedAt: s.UpdatedAt, UpdatedBy: "m.neri"}
	switch i % 1000 {
	case 7:
		p.Target = treasuryReference(i + 1)
	case 8:
		p.PreviousTarget = treasuryReference(i + 1)
	case 9:
		p.State = settlement.PaymentUnknown
	}
	return p
}

func treasuryMovement(i int) settlement.Movement {
	s := treasurySettlement(i)
	m := settlement.Movement{ID: orderedID(1<<29 + i), Body: s.Body, Bank: "01234", Year: 2026, Account: "1", Number: fmt.Sprint(i), Amount: s.Total,
		Entries: []settlement.Entry{{Key: fmt.Sprint(i), Operation: paymentfile.OperationExecuted, Amount: s.Total, Causale: flussi.NewText("/PUR/LGPE-RIVERSAMENTO/URI/" + s.FlowID)}},
		FlowIDs: []string{s.FlowID}, Parts: []settlement.Part{{Kind: settlement.PartMatched, Settlement: s.ID, Amount: s.Total}},
		State: settlement.MovementMatched, Unreported: i%1000 == 8, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt, UpdatedBy: "m.neri"}
	if s.State == settlement.SettlementOpen {
		m.State, m.Parts = settlement.MovementWaiting, []settlement.Part{{Kind: settlement.PartWaiting, Amount: s.Total}}
	}
	switch i % 100 {
	case 11:
		m.FlowIDs, m.Prefix, m.Unresolved = nil, s.FlowID[:15], true
	case 12:
		m.FlowIDs, m.Reference, m.State = nil, treasuryReference(i), settlement.MovementSinglePayment
	case 13:
		m.PreviousReference = treasuryReference(i)
	}
	return m
}

// treasuryScreen is a query of a screen, or one that settlement.Service makes while it matches.
type treasuryScreen struct {
	name string
	find func(t testing.TB, a *treasury, p settlement.Page) int // returns how many it finds
}

func findsSettlements(name string, filter settlement.SettlementFilter) treasuryScreen {
	return treasuryScreen{name, func(t testing.TB, a *treasury, p settlement.Page) int {
		return len(must.Get(a.Settlements(context.Background(), filter, p))(t))
	}}
}

func findsPayments(name string, filter settlement.PaymentFilter) treasuryScreen {
	return treasuryScreen{name, func(t testing.TB, a *treasury, p settlement.Page) int {
		return len(must.Get(a.Payments(context.Background(), filter, p))(t))
	}}
}

func findsMovements(name string, filter settlement.MovementFilter) treasuryScreen {
	return treasuryScreen{name, func(t testing.TB, a *treasury, p settlement.Page) int {
		return len(must.Get(a.Movements(context.Background(), filter, p))(t))
	}}
}

// withoutTreasury is the page of settlements that the treasury does not have.
var withoutTreasury = findsSettlements("settlements without treasury",
	settlement.SettlementFilter{Bodies: firstBody(), States: []settlement.SettlementState{settlement.SettlementOpen}})

func firstBody() []flussi.OrganizationCode { return []flussi.OrganizationCode{bodyNumber(0)} }

// treasuryScreens returns what is looked for among n settlements.
func treasuryScreens(n int) []treasuryScreen {
	school := firstBody()
	var references []paymentfile.Reference
	var amounts []flussi.Cents
	for i := range 400 {
		references = append(references, treasuryReference(n/2+i))
		amounts = append(amounts, flussi.Cents(10_000+i*3))
	}
	return []treasuryScreen{
		withoutTreasury,
		findsSettlements("all settlements of two bodies", settlement.SettlementFilter{Bodies: []flussi.OrganizationCode{bodyNumber(0), bodyNumber(1)}}),
		findsSettlements("settlements of all bodies", settlement.SettlementFilter{}),
		findsSettlements("the next settlement to be told", settlement.SettlementFilter{Bodies: school, Unreported: true}),
		findsSettlements("settlements by ID", settlement.SettlementFilter{Bodies: school, IDs: []uuid.UUID{treasurySettlement(4).ID, treasurySettlement(8).ID}}),
		findsSettlements("settlements by identifier", settlement.SettlementFilter{Bodies: school, FlowIDs: []string{treasuryFlowID(4), treasuryFlowID(8)}}),
		findsSettlements("the settlement of a cut causale", settlement.SettlementFilter{Bodies: school, Totals: []flussi.Cents{5000}, FlowPrefix: treasuryFlowID(28)[:23]}),
		findsSettlements("settlements that begin with a rare text", settlement.SettlementFilter{Bodies: school, FlowPrefix: treasuryFlowID(28)[:25]}),
		findsSettlements("settlements that begin with what all have", settlement.SettlementFilter{Bodies: school, FlowPrefix: "2026-"}),
		findsPayments("payments of a settlement", settlement.PaymentFilter{Bodies: school, Settlement: treasurySettlement(0).ID}),
		findsPayments("unknown payments of a settlement", settlement.PaymentFilter{Settlement: treasurySettlement(0).ID, States: []settlement.PaymentState{settlement.PaymentUnknown}}),
		findsPayments("unknown payments of two bodies", settlement.PaymentFilter{Bodies: []flussi.OrganizationCode{bodyNumber(0), bodyNumber(1)}, States: []settlement.PaymentState{settlement.PaymentUnknown}}),
		findsPayments("payments of 400 references", settlement.PaymentFilter{Bodies: school, References: references}),
		findsPayments("payments of all bodies", settlement.PaymentFilter{}),
		findsMovements("movements without a settlement", settlement.MovementFilter{Bodies: school, States: []settlement.MovementState{settlement.MovementWaiting}}),
		findsMovements("movements of all bodies", settlement.MovementFilter{}),
		findsMovements("the next movements to be told", settlement.MovementFilter{Bodies: school, Unreported: true}),
		findsMovements("movements by ID", settlement.MovementFilter{Bodies: school, IDs: []uuid.UUID{treasuryMovement(4).ID, treasuryMovement(8).ID}}),
		findsMovements("movements that name a settlement", settlement.MovementFilter{Bodies: school, FlowIDs: []string{treasuryFlowID(4)}}),
		findsMovements("movements of a settlement", settlement.MovementFilter{Bodies: school, Settlement: treasurySettlement(4).ID}),
		findsMovements("single payments of 400 references", settlement.MovementFilter{Bodies: school, References: references, States: []settlement.MovementState{settlement.MovementSinglePayment}}),
		findsMovements("movements of 400 amounts that are matched by their amount", settlement.MovementFilter{Bodies: bodies(), Amounts: append(amounts, 5000), Unresolved: true}),
		findsMovements("movements with what is left of an identifier", settlement.MovementFilter{Bodies: bodies(), Amounts: []flussi.Cents{5000, 10_111}, Prefixes: []string{treasuryFlowID(11)[:15], "2026"}}),
	}
}

func bodies() (all []flussi.OrganizationCode) {
	for i := range ofBodies {
		all = append(all, bodyNumber(i))
	}
	return all
}

// TestTreasuryScreensReadAFewRows checks the plans of screens, and of what the service looks for
// while it matches, freshly applied and with statistics. With -rows 100000 it checks them among
// 100,000 settlements, as many payments and as many movements.
func TestTreasuryScreensReadAFewRows(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(testing.TB) database) {
		a, n := &treasury{open(t)}, rowsOr(6_000)
		a.fill(t, n)
		for _, statistics := range []string{"freshly applied", "analyzed"} {
			t.Run(statistics, func(t *testing.T) {
				if statistics == "analyzed" {
					a.exec(t, "ANALYZE")
				}
				for _, s := range treasuryScreens(n) {
					for name, p := range treasuryPages() {
						t.Run(s.name+"/"+name, func(t *testing.T) {
							checked := &treasury{a.checked(t)}
							if found := s.find(t, checked, p); name == "first page" {
								require.Positive(t, found)
							}
						})
					}
				}
				t.Run("plan", func(t *testing.T) { a.comparePlan(t) })
			})
		}
	})
}

func treasuryPages() map[string]settlement.Page {
	middle := settlement.Cursor{At: begin.Add(30 * time.Minute), ID: orderedID(30)}
	return map[string]settlement.Page{
		"first page": {Limit: page51}, "oldest first": {Limit: page51, OldestFirst: true},
		"in the middle": {Limit: page51, After: middle}, "in the middle, oldest first": {Limit: page51, After: middle, OldestFirst: true},
	}
}

// comparePlan compares the plan of the page of settlements without treasury with a file.
func (a *treasury) comparePlan(t *testing.T) {
	var plan strings.Builder
	watched := &treasury{a.database}
	watched.Store = a.Watched(func(c engine.Conn, query string, args []any) {
		if strings.Contains(query, "settlements WHERE") {
			plan.WriteString(a.explain(t, c, query, args))
		}
	})
	assert.Positive(t, withoutTreasury.find(t, watched, settlement.Page{Limit: page51}))
	assert.Positive(t, withoutTreasury.find(t, watched, settlement.Page{Limit: page51, After: settlement.Cursor{At: begin.AddDate(1, 0, 0)}}))
	name := "sqlite"
	if a.isPG {
		name = "postgres"
	}
	golden.File(t, "testdata/without-treasury-"+name+".txt", plan.String())
}

// aValue matches a value in a plan.
var aValue = regexp.MustCompile(`'[^']*'`)

// explain returns a query with its plan, without values.
func (a *treasury) explain(t *testing.T, c engine.Conn, query string, args []any) string {
	explain := "EXPLAIN QUERY PLAN "
	if a.isPG {
		explain = "EXPLAIN (COSTS OFF) "
	}
	rows := must.Get(c.Query(context.Background(), explain+query, args...))(t)
	defer rows.Close()
	from := strings.Index(query, " FROM ")
	text := "SELECT …" + regexp.MustCompile(`test\d+\.`).ReplaceAllString(query[from:], "flussi.") + "\n"
	var line string
	var s sqliteStep
	for rows.Next() {
		if a.isPG {
			require.NoError(t, rows.Scan(&line))
		} else {
			require.NoError(t, rows.Scan(&s.id, &s.parent, &s.unused, &s.text))
			line = s.text
		}
		text += "  " + aValue.ReplaceAllString(line, "'…'") + "\n"
	}
	require.NoError(t, rows.Err())
	return text
}
