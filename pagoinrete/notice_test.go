package pagoinrete_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
)

// The guide's table of notice states, row by row: the name for the school's
// overview, for the school's user, and for the family.
func TestTheNoticeLabelsAreTheGuides(t *testing.T) {
	want := []pagoinrete.NoticeLabels{
		{Macro: "Non collegato a Pago in Rete", School: "Non collegato a Pago in Rete", Family: "Non collegato a Pago in Rete"},
		{Macro: "Non pagato", School: "Non pagato (Non notificato)", Family: "Da pagare"},
		{Macro: "Non pagato", School: "Non pagato (Notificato)", Family: "Da pagare"},
		{Macro: "Non pagato", School: "Non pagato (RPT inviata in attesa di RT)", Family: "In attesa di ricevuta"},
		{Macro: "Pagato", School: "Pagato (Pagato online)", Family: "Pagato"},
		{Macro: "Pagato", School: "Pagato manualmente", Family: "Pagato"},
		{Macro: "Pagato", School: "Pagamento confermato", Family: "Pagato"},
		{Macro: "Pagato", School: "Pagamento riscontrato automaticamente", Family: "Pagato"},
		{Macro: "Pagato", School: "Pagamento riscontrato manualmente", Family: "Pagato"},
		{Macro: "Annullato", School: "Annullato", Family: "Annullato"},
		{Macro: "Rimborsato", School: "Rimborsato", Family: "Rimborsato"},
	}
	var got []pagoinrete.NoticeLabels
	for _, state := range pagoinrete.NoticeMachine().States() {
		got = append(got, state.Name.Labels())
		assert.Equal(t, state.Name.Labels().School, state.Name.Label())
		assert.Equal(t, state.Name.Label(), state.Label)
	}
	assert.Equal(t, want, got)
	assert.Equal(t, pagoinrete.NoticeLabels{Macro: "altro", School: "altro", Family: "altro"}, pagoinrete.NoticeState("altro").Labels())
}

// What may happen to a notice, written down apart from the machine's own table:
// everything that is not here is refused.
func TestNoticeTransitions(t *testing.T) {
	type edge struct {
		from   pagoinrete.NoticeState
		action pagoinrete.NoticeAction
	}
	allowed := map[edge]pagoinrete.NoticeState{
		{pagoinrete.NoticeNotLinked, pagoinrete.NoticeEdit}:                 pagoinrete.NoticeNotLinked,
		{pagoinrete.NoticeNotLinked, pagoinrete.NoticeTransmit}:             pagoinrete.NoticeNotNotified,
		{pagoinrete.NoticeNotLinked, pagoinrete.NoticeCancel}:               pagoinrete.NoticeCancelled,
		{pagoinrete.NoticeNotNotified, pagoinrete.NoticeNotify}:             pagoinrete.NoticeNotified,
		{pagoinrete.NoticeNotNotified, pagoinrete.NoticePayManually}:        pagoinrete.NoticePaidManually,
		{pagoinrete.NoticeNotNotified, pagoinrete.NoticeCancel}:             pagoinrete.NoticeCancelled,
		{pagoinrete.NoticeNotified, pagoinrete.NoticeRequest}:               pagoinrete.NoticeAwaitingReceipt,
		{pagoinrete.NoticeNotified, pagoinrete.NoticePayManually}:           pagoinrete.NoticePaidManually,
		{pagoinrete.NoticeNotified, pagoinrete.NoticeCancel}:                pagoinrete.NoticeCancelled,
		{pagoinrete.NoticeAwaitingReceipt, pagoinrete.NoticePay}:            pagoinrete.NoticePaidOnline,
		{pagoinrete.NoticeAwaitingReceipt, pagoinrete.NoticeFail}:           pagoinrete.NoticeNotified,
		{pagoinrete.NoticePaidOnline, pagoinrete.NoticeConfirm}:             pagoinrete.NoticeConfirmed,
		{pagoinrete.NoticePaidOnline, pagoinrete.NoticeReconcile}:           pagoinrete.NoticeReconciled,
		{pagoinrete.NoticePaidOnline, pagoinrete.NoticeRefund}:              pagoinrete.NoticeRefunded,
		{pagoinrete.NoticeConfirmed, pagoinrete.NoticeReconcile}:            pagoinrete.NoticeReconciled,
		{pagoinrete.NoticeReconciled, pagoinrete.NoticeUnreconcile}:         pagoinrete.NoticeConfirmed,
		{pagoinrete.NoticeConfirmed, pagoinrete.NoticeUnconfirm}:            pagoinrete.NoticePaidOnline,
		{pagoinrete.NoticePaidOnline, pagoinrete.NoticeUnpay}:               pagoinrete.NoticeNotified,
		{pagoinrete.NoticeNotified, pagoinrete.NoticeUnnotify}:              pagoinrete.NoticeNotNotified,
		{pagoinrete.NoticeConfirmed, pagoinrete.NoticeRefund}:               pagoinrete.NoticeRefunded,
		{pagoinrete.NoticeReconciled, pagoinrete.NoticeRefund}:              pagoinrete.NoticeRefunded,
		{pagoinrete.NoticePaidManually, pagoinrete.NoticeReconcileManually}: pagoinrete.NoticeReconciledManually,
		{pagoinrete.NoticePaidManually, pagoinrete.NoticeRefund}:            pagoinrete.NoticeRefunded,
		{pagoinrete.NoticeReconciledManually, pagoinrete.NoticeRefund}:      pagoinrete.NoticeRefunded,
	}
	// What may be done without leaving a state: with whatever was transmitted, and one refusal.
	for _, state := range pagoinrete.NoticeMachine().States() {
		if state.Name != pagoinrete.NoticeNotLinked {
			for _, action := range []pagoinrete.NoticeAction{pagoinrete.NoticeShow, pagoinrete.NoticeHide, pagoinrete.NoticeVerify, pagoinrete.NoticeResolveDiscrepancy, pagoinrete.NoticeRecordDiscrepancy} {
				allowed[edge{state.Name, action}] = state.Name
			}
		}
	}
	allowed[edge{pagoinrete.NoticeNotLinked, pagoinrete.NoticeRefuse}] = pagoinrete.NoticeNotLinked
	allowed[edge{pagoinrete.NoticeReconciled, pagoinrete.NoticeConfirm}] = pagoinrete.NoticeReconciled // the settlement comes after the journal
	office := map[pagoinrete.NoticeAction]bool{
		pagoinrete.NoticeShow: true, pagoinrete.NoticeHide: true, pagoinrete.NoticeVerify: true, pagoinrete.NoticeResolveDiscrepancy: true,
		pagoinrete.NoticeEdit: true, pagoinrete.NoticeTransmit: true, pagoinrete.NoticePayManually: true,
		pagoinrete.NoticeReconcileManually: true, pagoinrete.NoticeCancel: true, pagoinrete.NoticeRefund: true,
	}
	actions := map[pagoinrete.NoticeAction]bool{}
	for _, row := range pagoinrete.NoticeMachine().Transitions() {
		actions[row.Event] = true
	}
	for _, state := range pagoinrete.NoticeMachine().States() {
		for action := range actions {
			for _, by := range []flussi.Actor{assistant, director, principal, system} {
				n := pagoinrete.Notice{State: state.Name}
				err := n.Fire(t.Context(), action, by)
				to, exists := allowed[edge{state.Name, action}]
				mine := by.Has(flussi.System)
				if office[action] {
					mine = by.Has(flussi.AdminDirector, flussi.AdminAssistant)
				}
				switch {
				case !exists:
					assert.ErrorIs(t, err, fsm.ErrNotAllowed, "%s of %s by %s", action, state.Name, by.ID)
					to = state.Name
				case !mine:
					assert.ErrorIs(t, err, fsm.ErrRole, "%s of %s by %s", action, state.Name, by.ID)
					to = state.Name
				default:
					assert.NoError(t, err, "%s of %s by %s", action, state.Name, by.ID)
				}
				assert.Equal(t, to, n.State, "%s of %s by %s", action, state.Name, by.ID)
			}
		}
	}
}

func TestNoticePathHasTheStepsBetween(t *testing.T) {
	for name, test := range map[string]struct {
		from, to pagoinrete.NoticeState
		want     []pagoinrete.NoticeAction
	}{
		"paid before anyone looked": {pagoinrete.NoticeNotNotified, pagoinrete.NoticePaidOnline,
			[]pagoinrete.NoticeAction{pagoinrete.NoticeNotify, pagoinrete.NoticeRequest, pagoinrete.NoticePay}},
		"confirmed by the settlement": {pagoinrete.NoticeNotified, pagoinrete.NoticeConfirmed,
			[]pagoinrete.NoticeAction{pagoinrete.NoticeRequest, pagoinrete.NoticePay, pagoinrete.NoticeConfirm}},
		"no settlement is implied by the journal": {pagoinrete.NoticePaidOnline, pagoinrete.NoticeReconciled,
			[]pagoinrete.NoticeAction{pagoinrete.NoticeReconcile}},
		"taken back by the files": {pagoinrete.NoticeReconciled, pagoinrete.NoticeNotNotified,
			[]pagoinrete.NoticeAction{pagoinrete.NoticeUnreconcile, pagoinrete.NoticeUnconfirm, pagoinrete.NoticeUnpay, pagoinrete.NoticeUnnotify}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, must.Get(pagoinrete.NoticeMachine().Path(test.from, test.to))(t))
		})
	}
	_, err := pagoinrete.NoticeMachine().Path(pagoinrete.NoticeCancelled, pagoinrete.NoticePaidOnline)
	assert.ErrorIs(t, err, fsm.ErrNoPath, "a cancelled notice that was paid is a discrepancy")
}

func TestNewNotice(t *testing.T) {
	e := pagoinrete.Event{ID: uuid.Must(uuid.NewV7()), School: "RMIC8GA002"}
	due := must.Get(flussi.EndOfDay(2026, 12, 31))(t)
	data := pagoinrete.NoticeData{Debtor: flussi.TestRecipient(), DebtorKind: pagoinrete.DebtorPupil, Amount: 1250, Discount: 250, DueDate: due}
	n := must.Get(pagoinrete.NewNotice(e, 1, data, assistant))(t)
	assert.Equal(t, uuid.Version(7), n.ID.Version())
	assert.False(t, n.CreatedAt.IsZero())
	assert.Equal(t, pagoinrete.Notice{
		ID: n.ID, EventID: e.ID, School: e.School, State: pagoinrete.NoticeNotLinked, Instalment: 1, NoticeData: data,
		CreatedAt: n.CreatedAt, UpdatedAt: n.CreatedAt, UpdatedBy: "a.bianchi",
	}, n)
	assert.Equal(t, flussi.Cents(1000), n.Due())
	assert.Equal(t, []pagoinrete.NoticeAction{pagoinrete.NoticeEdit, pagoinrete.NoticeTransmit, pagoinrete.NoticeCancel},
		n.Allowed(flussi.AdminAssistant))
	assert.Equal(t, "Annulla", pagoinrete.NoticeCancel.Label())
	assert.Equal(t, "Crea il pagamento", pagoinrete.NoticeCreate.Label(), "it is in histories only")

	_, err := pagoinrete.NewNotice(pagoinrete.Event{}, 1, data, assistant)
	assert.ErrorIs(t, err, flussi.ErrEmpty)
	assert.Equal(t, "Manca l'evento di pagamento dell'avviso.", flussi.Explain(err))
	assert.ErrorIs(t, must.Err(pagoinrete.NewNotice(e, 1, data, flussi.Actor{})), flussi.ErrEmpty)
	for name, test := range map[string]struct {
		change func(*pagoinrete.NoticeData)
		want   error
		says   string
	}{
		"no debtor":            {func(d *pagoinrete.NoticeData) { d.Debtor = flussi.FiscalCode{} }, flussi.ErrEmpty, "Manca il codice fiscale del debitore."},
		"no kind":              {func(d *pagoinrete.NoticeData) { d.DebtorKind = "" }, flussi.ErrRange, "alunno"},
		"no amount":            {func(d *pagoinrete.NoticeData) { d.Amount = 0 }, flussi.ErrRange, "L'importo dell'avviso non è valido"},
		"a negative amount":    {func(d *pagoinrete.NoticeData) { d.Amount = -1 }, flussi.ErrRange, "L'importo dell'avviso non è valido"},
		"too much":             {func(d *pagoinrete.NoticeData) { d.Amount = flussi.MaxPayable + 1 }, flussi.ErrRange, "L'importo dell'avviso non è valido"},
		"all of it discounted": {func(d *pagoinrete.NoticeData) { d.Discount = d.Amount }, flussi.ErrRange, "non resterebbe nulla da pagare"},
		"a negative discount":  {func(d *pagoinrete.NoticeData) { d.Discount = -1 }, flussi.ErrRange, "Lo sconto non può essere negativo."},
		"no due date":          {func(d *pagoinrete.NoticeData) { d.DueDate = time.Time{} }, flussi.ErrEmpty, "Manca la scadenza dell'avviso."},
		"a due date long ago":  {func(d *pagoinrete.NoticeData) { d.DueDate = time.Date(1926, 1, 1, 0, 0, 0, 0, time.UTC) }, flussi.ErrDate, "La scadenza dell'avviso non è valida."},
		"a long reference":     {func(d *pagoinrete.NoticeData) { d.Reference = strings.Repeat("x", 256) }, flussi.ErrLength, "256 caratteri"},
		"a name with NUL":      {func(d *pagoinrete.NoticeData) { d.DebtorName = flussi.NewText("a\x00") }, flussi.ErrCharacter, "caratteri non validi"},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := data
			test.change(&wrong)
			_, err := pagoinrete.NewNotice(e, 1, wrong, assistant)
			assert.ErrorIs(t, err, test.want)
			assert.Contains(t, flussi.Explain(err), test.says)
			var invalid *flussi.InvalidError
			require.ErrorAs(t, err, &invalid)
			assert.Len(t, invalid.Fields, 1)
		})
	}
}

func TestNoticeMasksItsTextsAndCodes(t *testing.T) {
	n := must.Get(pagoinrete.NewNotice(pagoinrete.Event{ID: uuid.Must(uuid.NewV7()), School: "RMIC8GA002"}, 1, pagoinrete.NoticeData{
		Debtor: flussi.TestRecipient(), DebtorKind: pagoinrete.DebtorPupil, DebtorName: flussi.NewText("Rossi Ada"), Amount: 1250,
		DueDate: time.Date(2026, 12, 31, 22, 59, 59, 0, time.UTC),
	}, assistant))(t)
	n.Number = must.Get(flussi.ParseNoticeNumber("301005100001400678"))(t)
	leaktest.CheckEntity(t, n, `{"id":"`+n.ID.String()+`","event":"`+n.EventID.String()+`","state":"not_linked","version":0}`,
		"AAAAAA00A00A000A", "301005100001400678", "Rossi Ada")
}
