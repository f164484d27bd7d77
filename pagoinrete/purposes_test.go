package pagoinrete_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// Each sospeso is allocated to the events of its notices, with the chapter of the school.
func TestSospesoIsAllocatedToTheEventsOfItsNotices(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	e := do(t, assistant, y.Event, n.EventID)
	unknown := rowOf(n, "B")
	unknown.Reference, unknown.Amount, unknown.SignedAmount = paymentfile.NewReference("01000000000099952"), 300, 300
	y.apply(flowID, rowOf(n, "A"), unknown)
	y.receive("7", flowID, n.Due()+300)
	config := pagoinrete.DuesConfig{By: system, School: schoolOf, Chapter: func(e pagoinrete.Event) string { return "06/04 " + e.Category }}
	dues := must.Get(pagoinrete.NewDues(y.Service, config))(t)
	var all []settlement.Allocation
	for a, err := range y.files.Allocations(t.Context(), assistant, settlement.MovementFilter{}, dues) {
		require.NoError(t, err)
		a.Movement = settlement.Movement{}
		all = append(all, a)
	}
	assert.Equal(t, []settlement.Allocation{
		{Purpose: settlement.Purpose{Event: e.Name, Chapter: "06/04 " + e.Category}, Amount: n.Due(), Payments: 1},
		{Reason: "unknown", Amount: 300, Payments: 1},
	}, all)
}

func TestPurposesSayWhetherTheReceiptIsKnown(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	r := rowOf(n, "").Reference
	purpose := func() settlement.Purpose {
		return must.Get(y.dues.Purposes(t.Context(), body, []paymentfile.Reference{r}))(t)[r]
	}
	assert.False(t, purpose().Receipt)
	require.True(t, y.platform.Pay(n.ID, n.Due()))
	do(t, assistant, y.VerifyNotice, n.ID)
	assert.True(t, purpose().Receipt)
	assert.Empty(t, purpose().Chapter)
}

// References without exactly one notice, and those of another body, have no purpose.
func TestPurposesDoNotGuess(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	assert.Empty(t, must.Get(y.dues.Purposes(t.Context(), town, []paymentfile.Reference{rowOf(n, "").Reference}))(t))
	assert.Empty(t, must.Get(y.dues.Purposes(t.Context(), body, []paymentfile.Reference{paymentfile.NewReference("RF18539007547034")}))(t))
	twins := y.twins(t)
	assert.Empty(t, must.Get(y.dues.Purposes(t.Context(), body, []paymentfile.Reference{rowOf(twins[0], "").Reference}))(t))
	stranger := must.Get(pagoinrete.NewDues(y.Service, pagoinrete.DuesConfig{By: flussi.Actor{ID: "a.sala", Roles: []flussi.Role{flussi.AdminAssistant}}, School: schoolOf}))(t)
	_, err := stranger.Purposes(t.Context(), body, []paymentfile.Reference{rowOf(n, "").Reference})
	assert.Error(t, err)
}
