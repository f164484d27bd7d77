package settlement_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// events says what references are for.
type events map[paymentfile.Reference]settlement.Purpose

func (e events) Purposes(_ context.Context, _ flussi.OrganizationCode, references []paymentfile.Reference) (map[paymentfile.Reference]settlement.Purpose, error) {
	found := map[paymentfile.Reference]settlement.Purpose{}
	for i, r := range references {
		if len(references) > 500 || r.IsZero() || i > 0 && r == references[i-1] {
			return nil, errors.New("references not as agreed")
		}
		if purpose, is := e[r]; is {
			found[r] = purpose
		}
	}
	return found, nil
}

// allocated returns the allocations of all movements as short texts.
func (o *office) allocated(purposes settlement.Purposes) []string {
	var all []string
	for a, err := range o.Allocations(o.t.Context(), clerk, settlement.MovementFilter{}, purposes) {
		require.NoError(o.t, err)
		what := a.Purpose.Event + " " + a.Purpose.Chapter
		if a.Reason != "" {
			what = "Da attribuire: " + a.Reason.Label()
		}
		all = append(all, fmt.Sprintf("%s %s, %s, %d", a.Movement.Number, what, a.Amount, a.Payments))
	}
	return all
}

func TestAllocationsSplitSospesoByEventAndChapter(t *testing.T) {
	o := newOffice(t)
	trip, lunch, gone := o.iuv(1, 5000), o.iuv(2, 700), o.iuv(3, 0)
	purposes := events{trip: {Event: "Viaggio", Chapter: "06/04"}, lunch: {Event: "Mensa", Chapter: "06/03", Receipt: true}}
	o.settle(flowID, row(trip, "A", 5000), row(lunch, "B", 700), row(trip, "D", 5000), row(gone, "E", 100))
	o.sospeso("7", uri(flowID), 10800)
	assert.Equal(t, []string{
		"7 Mensa 06/03, 7,00, 1", "7 Viaggio 06/04, 50,00, 1",
		"7 Da attribuire: Pagato più di una volta, 50,00, 1", "7 Da attribuire: IUV sconosciuto, 1,00, 1",
	}, o.allocated(purposes))
	assert.Equal(t, []string{
		"7 Da attribuire: Pagato più di una volta, 50,00, 1", "7 Da attribuire: Evento non noto, 57,00, 2", "7 Da attribuire: IUV sconosciuto, 1,00, 1",
	}, o.allocated(nil))
}

// No file says which payments of a settlement are in one of several movements.
func TestAllocationsDoNotGuessPartOfSettlement(t *testing.T) {
	o := newOffice(t)
	trip, lunch, other := o.iuv(1, 5000), o.iuv(2, 700), o.iuv(3, 5000)
	purposes := events{trip: {Event: "Viaggio"}, lunch: {Event: "Mensa"}, other: {Event: "Viaggio"}}
	o.settle(flowID, row(trip, "A", 5000), row(lunch, "B", 700))
	o.sospeso("1", uri(flowID), 5000)
	o.sospeso("2", uri(flowID), 700)
	single := "2026-03-01BANKIT-000002"
	o.settle(single, row(trip, "C", 5000), row(other, "D", 5000))
	o.sospeso("3", uri(single), 4000)
	assert.ElementsMatch(t, []string{
		"1 Da attribuire: Importo diverso dal totale del flusso, 50,00, 0", "2 Da attribuire: Importo diverso dal totale del flusso, 7,00, 0",
		"3 Da attribuire: Importo diverso dal totale del flusso, 40,00, 0", // C pays the trip a second time
	}, o.allocated(purposes))
	o.settle("2026-03-01BANKIT-000003", row(o.iuv(4, 100), "E", 100), row(o.iuv(5, 200), "F", 200))
	purposes[o.iuv(4, 100)], purposes[o.iuv(5, 200)] = settlement.Purpose{Event: "Museo"}, settlement.Purpose{Event: "Museo"}
	o.sospeso("4", uri("2026-03-01BANKIT-000003"), 250)
	assert.Contains(t, o.allocated(purposes), "4 Museo , 2,50, 0")
}

func TestAllocationsSayWhyNothingIsAssigned(t *testing.T) {
	o := newOffice(t)
	r := o.iuv(1, 500)
	purposes := events{r: {Event: "Viaggio"}}
	o.settleTo(school, flowID, 900, row(r, "A", 500)) // the total is wrong
	o.sospeso("1", uri(flowID), 900)
	o.sospeso("2", uri("2026-03-01BANKIT-999999"), 100)
	o.sospeso("3", "CONTRIBUTO VOLONTARIO", 200)
	o.sospeso("4", "/RFB/"+r.Reveal()+"/5.00/TXT/VIAGGIO", 500)
	o.sospeso("5", "CONTRIBUTO", 300)
	o.journal("5", "CONTRIBUTO", 300, paymentfile.OperationReversed)
	assert.ElementsMatch(t, []string{
		"1 Da attribuire: Totale del file non affidabile, 9,00, 0", "2 Da attribuire: Tesoreria senza flusso, 1,00, 0",
		"3 Da attribuire: Estraneo a pagoPA, 2,00, 0", "4 Viaggio , 5,00, 1",
	}, o.allocated(purposes))
}

// Every cent is in one class: the sums of the report are those of the files.
func TestReportAddsUpToFiles(t *testing.T) {
	seen := map[settlement.Finding]bool{}
	for seed := range uint64(80) {
		w := newWorld(seed)
		s, due, store := w.apply(t, rand.New(rand.NewPCG(seed, 9)))
		service := must.Get(settlement.NewService(store, settlement.Permissions{clerk.ID: {school, town}}, due))(t)
		purposes := events{}
		for i, r := range w.references {
			if i%4 > 0 {
				purposes[r] = settlement.Purpose{Event: fmt.Sprint("E", i%3), Chapter: "1", Receipt: i%2 == 0}
			}
		}
		summary := must.Get(service.Summary(t.Context(), clerk, settlement.ReportFilter{}))(t)
		var stated, rows flussi.Cents
		for _, e := range s.settlements {
			stated += e.Total
			rows += e.Counts.Total().Amount
		}
		assert.Equal(t, settlement.Tally{Number: len(s.settlements), Amount: stated}, summary.SettlementTotal())
		assert.Equal(t, settlement.Tally{Number: len(s.payments), Amount: rows}, summary.PaymentTotal())
		assert.Equal(t, w.moved[school]+w.moved[town], summary.MovementTotal().Amount)

		lines := settlement.Summary{Settlements: summary.Settlements, Covered: summary.Covered, Parts: summary.Parts, Reversed: summary.Reversed}
		for line, err := range service.PaymentLines(t.Context(), clerk, settlement.ReportFilter{}, purposes) {
			require.NoError(t, err)
			lines.AddPayment(line)
			seen[line.Finding()] = true
		}
		assert.Equal(t, summary.PaymentTotal(), lines.PaymentTotal())
		complete := lines.Payments[settlement.FindingComplete]
		together := lines.Payments[settlement.FindingNoReceipt]
		together.Number, together.Amount = together.Number+complete.Number, together.Amount+complete.Amount
		assert.Equal(t, summary.Payments[settlement.FindingNoReceipt], together)

		allocated := map[uuid.UUID]flussi.Cents{}
		for a, err := range service.Allocations(t.Context(), clerk, settlement.MovementFilter{}, purposes) {
			require.NoError(t, err)
			allocated[a.Movement.ID] += a.Amount
			assert.NotEqual(t, a.Purpose.IsZero(), a.Reason == "")
		}
		for _, m := range s.movements {
			assert.Equal(t, max(m.Amount, 0), allocated[m.ID])
		}
		checkLines(t, &summary)
		checkLines(t, &lines)
	}
	for _, f := range settlement.Findings() {
		if f != settlement.FindingSetAside {
			assert.True(t, seen[f], f)
		}
	}
}

// checkLines checks that the parts of each list are its sum.
func checkLines(t *testing.T, s *settlement.Summary) {
	sums := map[string]settlement.Tally{}
	for line := range s.Lines() {
		assert.NotEmpty(t, line.Label)
		if !line.IsTotal {
			sum := sums[line.Section]
			sums[line.Section] = settlement.Tally{Number: sum.Number + line.Number, Amount: sum.Amount + line.Amount}
		}
		switch line.Label {
		case "Totale dei flussi", "Totale dei pagamenti", "Totale dei movimenti":
			assert.Equal(t, sums[line.Section], line.Tally, line.Label)
		case "Differenza dal totale dei flussi":
			assert.Equal(t, sums["Flussi"].Amount-sums["Pagamenti"].Amount, line.Amount)
		}
	}
}

func TestReportIsForThoseWhoWorkForTheBody(t *testing.T) {
	o := newOffice(t)
	o.settle(flowID, row(o.iuv(1, 500), "A", 500))
	o.sospeso("1", uri(flowID), 500)
	stranger := flussi.Actor{ID: "a.sala"} // who gets an error, and not sums of zero
	assert.ErrorIs(t, must.Err(o.Summary(t.Context(), stranger, settlement.ReportFilter{})), flussi.ErrForbidden)
	refused := 0
	for _, err := range o.PaymentLines(t.Context(), stranger, settlement.ReportFilter{}, nil) {
		assert.ErrorIs(t, err, flussi.ErrForbidden)
		refused++
	}
	for _, err := range o.MovementLines(t.Context(), stranger, settlement.MovementFilter{}) {
		assert.ErrorIs(t, err, flussi.ErrForbidden)
		refused++
	}
	for _, err := range o.Allocations(t.Context(), stranger, settlement.MovementFilter{}, nil) {
		assert.ErrorIs(t, err, flussi.ErrForbidden)
		refused++
	}
	assert.Equal(t, 3, refused)
	filter := settlement.ReportFilter{Settlements: settlement.SettlementFilter{Bodies: []flussi.OrganizationCode{school}}}
	assert.ErrorIs(t, must.Err(o.Summary(t.Context(), stranger, filter)), flussi.ErrForbidden)
}

func TestReportKeepsToItsFilters(t *testing.T) {
	o := newOffice(t)
	o.settle(flowID, row(o.iuv(1, 500), "A", 500), row(o.iuv(2, 0), "B", 300))
	o.settle("2026-03-01BANKIT-000002", row(o.iuv(3, 700), "C", 700))
	o.sospeso("1", uri(flowID), 800)
	var iurs []string
	filter := settlement.ReportFilter{Settlements: settlement.SettlementFilter{FlowIDs: []string{flowID}},
		Payments: settlement.PaymentFilter{States: []settlement.PaymentState{settlement.PaymentUnknown}}}
	for line, err := range o.PaymentLines(t.Context(), clerk, filter, nil) {
		require.NoError(t, err)
		iurs = append(iurs, line.Payment.IUR)
	}
	assert.Equal(t, []string{"B"}, iurs)
	summary := must.Get(o.Summary(t.Context(), clerk, filter))(t)
	assert.Equal(t, flussi.Cents(800), summary.SettlementTotal().Amount)
	filter.Payments.States = []settlement.PaymentState{"frozen"}
	for _, err := range o.PaymentLines(t.Context(), clerk, filter, nil) {
		assert.ErrorIs(t, err, flussi.ErrInvalid)
	}
}

// A revision that drops a payment takes it out of the report.
func TestReportHasNoDroppedPayments(t *testing.T) {
	o := newOffice(t)
	o.settle(flowID, row(o.iuv(1, 500), "A", 500), row(o.iuv(2, 300), "B", 300))
	o.settle(flowID, row(o.iuv(1, 500), "A", 500))
	n := 0
	for line, err := range o.PaymentLines(t.Context(), clerk, settlement.ReportFilter{}, nil) {
		require.NoError(t, err)
		assert.Equal(t, "A", line.Payment.IUR)
		n++
	}
	assert.Equal(t, 1, n)
	o.sospeso("1", uri(flowID), 500)
	assert.Equal(t, []string{"1 Viaggio , 5,00, 1"}, o.allocated(events{o.iuv(1, 500): {Event: "Viaggio"}, o.iuv(2, 300): {Event: "Museo"}}))
	dropped := settlement.ReportFilter{Payments: settlement.PaymentFilter{States: []settlement.PaymentState{settlement.PaymentDropped}}}
	for line, err := range o.PaymentLines(t.Context(), clerk, dropped, nil) {
		require.NoError(t, err)
		assert.Equal(t, "B", line.Payment.IUR)
	}
}

// A reversal without an executed entry counts as negative.
func TestReportCountsReversalsWithoutExecution(t *testing.T) {
	o := newOffice(t)
	o.journal("5", "CONTRIBUTO", 300, paymentfile.OperationReversed)
	o.sospeso("6", "CONTRIBUTO", 100)
	summary := must.Get(o.Summary(t.Context(), clerk, settlement.ReportFilter{}))(t)
	assert.Equal(t, settlement.Tally{Number: 1, Amount: -300}, summary.Reversed)
	assert.Equal(t, settlement.Tally{Number: 2, Amount: -200}, summary.MovementTotal())
}

// An error of the application ends the sequence.
func TestReportEndsWithErrorOfPurposes(t *testing.T) {
	o := newOffice(t)
	o.settle(flowID, row(o.iuv(1, 500), "A", 500))
	o.sospeso("1", uri(flowID), 500)
	down := errors.New("table not there")
	for _, err := range o.PaymentLines(t.Context(), clerk, settlement.ReportFilter{}, broken{down}) {
		assert.ErrorIs(t, err, down)
	}
	for _, err := range o.Allocations(t.Context(), clerk, settlement.MovementFilter{}, broken{down}) {
		assert.ErrorIs(t, err, down)
	}
}

type broken struct{ err error }

func (b broken) Purposes(context.Context, flussi.OrganizationCode, []paymentfile.Reference) (map[paymentfile.Reference]settlement.Purpose, error) {
	return nil, b.err
}

// Of two files with the same revision, the one that does not contradict itself counts, whichever
// comes first.
func TestFileThatContradictsItselfGivesWay(t *testing.T) {
	good := settlement.File{Header: paymentfile.Settlement{ID: flowID, Body: school, PSP: paymentfile.Party{Code: "BANKITXX"}, Total: 500}, Payments: sequence([]paymentfile.Payment{
		row(paymentfile.NewReference("31000000000000001"), "A", 500)})}
	bad := good
	bad.Header.Total = 900
	for _, files := range [][]settlement.File{{good, bad}, {bad, good}} {
		o := newOffice(t)
		for _, file := range files {
			must.Get(o.ApplySettlement(t.Context(), clerk, file))(t)
		}
		assert.False(t, o.stored(flowID).Inconsistent)
	}
}

// Every state, finding, kind and reason has a name of its own in Italian.
func TestReportNamesEverything(t *testing.T) {
	names := map[string]string{}
	check := func(value, label string) {
		assert.NotEqual(t, value, label)
		assert.NotContains(t, names, label)
		names[label] = value
	}
	for _, f := range settlement.Findings() {
		check(string(f), f.Label())
	}
	names = map[string]string{}
	for _, k := range settlement.PartKinds() {
		check(string(k), k.Label())
	}
	for _, r := range []settlement.AllocationReason{settlement.ReasonNoPurpose, settlement.ReasonPartial, settlement.ReasonInconsistent} {
		check(string(r), r.Label())
	}
	assert.Equal(t, "melted", settlement.Finding("melted").Label())
	assert.Equal(t, "melted", settlement.PartKind("melted").Label())
	assert.Equal(t, "melted", settlement.AllocationReason("melted").Label())
	assert.Empty(t, settlement.AllocationReason("").Label())
}
