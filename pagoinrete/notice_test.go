package pagoinrete_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
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
func TestTheLifeOfANotice(t *testing.T) {
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
		{pagoinrete.NoticeConfirmed, pagoinrete.NoticeRefund}:               pagoinrete.NoticeRefunded,
		{pagoinrete.NoticeReconciled, pagoinrete.NoticeRefund}:              pagoinrete.NoticeRefunded,
		{pagoinrete.NoticePaidManually, pagoinrete.NoticeReconcileManually}: pagoinrete.NoticeReconciledManually,
		{pagoinrete.NoticePaidManually, pagoinrete.NoticeRefund}:            pagoinrete.NoticeRefunded,
		{pagoinrete.NoticeReconciledManually, pagoinrete.NoticeRefund}:      pagoinrete.NoticeRefunded,
	}
	office := map[pagoinrete.NoticeAction]bool{
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
				n := pagoinrete.Notice{State: state.Name, Amount: 1250}
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
					assert.ErrorIs(t, err, fsm.ErrForbidden, "%s of %s by %s", action, state.Name, by.ID)
					to = state.Name
				default:
					assert.NoError(t, err, "%s of %s by %s", action, state.Name, by.ID)
				}
				assert.Equal(t, to, n.State, "%s of %s by %s", action, state.Name, by.ID)
			}
		}
	}
}

func TestALatePollImpliesTheStepsBetween(t *testing.T) {
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
	} {
		t.Run(name, func(t *testing.T) {
			path, err := pagoinrete.NoticeMachine().Path(test.from, test.to)
			require.NoError(t, err)
			assert.Equal(t, test.want, path)
		})
	}
	_, err := pagoinrete.NoticeMachine().Path(pagoinrete.NoticeCancelled, pagoinrete.NoticePaidOnline)
	assert.ErrorIs(t, err, fsm.ErrNoPath, "a cancelled notice that was paid is a discrepancy")
}

func TestNewNotice(t *testing.T) {
	event := uuid.Must(uuid.NewV7())
	n, err := pagoinrete.NewNotice(event, flussi.TestRecipient(), 1250, assistant)
	require.NoError(t, err)
	assert.Equal(t, uuid.Version(7), n.ID.Version())
	assert.False(t, n.CreatedAt.IsZero())
	assert.Equal(t, pagoinrete.Notice{
		ID: n.ID, EventID: event, State: pagoinrete.NoticeNotLinked, Debtor: flussi.TestRecipient(), Amount: 1250,
		CreatedAt: n.CreatedAt, UpdatedAt: n.CreatedAt, UpdatedBy: "a.bianchi",
	}, n)
	assert.Equal(t, []pagoinrete.NoticeAction{pagoinrete.NoticeEdit, pagoinrete.NoticeTransmit, pagoinrete.NoticeCancel},
		n.Allowed(flussi.AdminAssistant))
	assert.Equal(t, "Annulla", pagoinrete.NoticeCancel.Label())

	_, err = pagoinrete.NewNotice(uuid.Nil, flussi.TestRecipient(), 1250, assistant)
	assert.ErrorIs(t, err, flussi.ErrEmpty)
	assert.Equal(t, "Manca l'evento di pagamento dell'avviso.", flussi.Explain(err))
	_, err = pagoinrete.NewNotice(event, flussi.FiscalCode{}, 1250, assistant)
	assert.ErrorIs(t, err, flussi.ErrEmpty)
	assert.Equal(t, "Manca il codice fiscale del debitore.", flussi.Explain(err))
	for _, amount := range []flussi.Cents{-1, 0, flussi.MaxPayable + 1} {
		_, err = pagoinrete.NewNotice(event, flussi.TestRecipient(), amount, assistant)
		assert.ErrorIs(t, err, flussi.ErrRange)
	}
	_, err = pagoinrete.NewNotice(event, flussi.TestRecipient(), 1250, flussi.Actor{})
	assert.ErrorIs(t, err, flussi.ErrEmpty)
}

func TestANoticeDoesNotShowItself(t *testing.T) {
	n, err := pagoinrete.NewNotice(uuid.Must(uuid.NewV7()), flussi.TestRecipient(), 1250, assistant)
	require.NoError(t, err)
	n.Number, err = flussi.ParseNoticeNumber("301005100001400678")
	require.NoError(t, err)
	var out bytes.Buffer
	for verb := 'A'; verb <= 'z'; verb++ {
		for _, flags := range []string{"", "+", "#"} {
			format := "%" + flags + string(verb) + "\n"
			fmt.Fprintf(&out, format, n)
			fmt.Fprintf(&out, format, &n)
			fmt.Fprintf(&out, format, []pagoinrete.Notice{n})
			fmt.Fprintf(&out, format, struct{ n pagoinrete.Notice }{n})
		}
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("m", "value", n, "pointer", &n)
	}
	assert.Contains(t, out.String(), `"value":{"id":"`+n.ID.String()+`","event":"`+n.EventID.String()+`","state":"not_linked","version":0}`)
	for _, secret := range []string{"AAAAAA00A00A000A", "301005100001400678"} {
		assert.False(t, bytes.Contains(out.Bytes(), []byte(secret)), secret)
	}
	assert.True(t, bytes.Contains(out.Bytes(), []byte(n.ID.String())))

	data, err := json.Marshal(n)
	require.NoError(t, err)
	var back pagoinrete.Notice
	require.NoError(t, json.Unmarshal(data, &back))
	assert.Equal(t, n, back, "JSON carries it whole")
}
