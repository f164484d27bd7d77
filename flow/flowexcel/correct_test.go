package flowexcel_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/sampletest"
)

const corrected = "Oggetto corretto a mano"

// What becomes of one notification, by its state and by what its row says: no rule here
// ever sets back what is not in Errore.
func TestARowIsCorrectedOnlyIfItsNotificationIsInErroreAndUnchangedSince(t *testing.T) {
	subject := map[string]any{"Oggetto": corrected}
	order := map[string]any{"Stato": "registrato"}
	later := func(t *testing.T, w *world, n flow.Notification) { // somebody edits it
		d := n.Draft
		d.Reference = "di un collega"
		must.Get(w.EditNotification(t.Context(), another, n.ID, n.Version, d))(t)
	}
	back := func(t *testing.T, w *world, n flow.Notification) {
		must.Get(w.RegisterNotification(t.Context(), operator, n.ID))(t)
	}
	touched := func(t *testing.T, w *world, n flow.Notification) { // somebody does what leaves it as it was
		must.Get(w.DisableNotification(t.Context(), operator, n.ID))(t)
		must.Get(w.EnableNotification(t.Context(), operator, n.ID))(t)
	}
	aside := func(t *testing.T, w *world, n flow.Notification) {
		must.Get(w.DisableNotification(t.Context(), operator, n.ID))(t)
	}
	sameEdit := func(by flussi.Actor) func(*testing.T, *world, flow.Notification) { // who has the same idea
		return func(t *testing.T, w *world, n flow.Notification) {
			d := n.Draft
			d.Subject = flussi.NewText(corrected)
			must.Get(w.EditNotification(t.Context(), by, n.ID, w.get(t, n.ID).Version, d))(t)
		}
	}
	becomes := func(change func(*flow.Notification)) func(*testing.T, *world, flow.Notification) { // what a sender or a verification does
		return func(t *testing.T, w *world, n flow.Notification) {
			from := n.State
			change(&n)
			n.UpdatedBy = operator.ID
			record := flow.NotificationRecord{At: n.UpdatedAt, By: operator.ID, Action: flow.NotificationFail, From: from, To: n.State}
			require.NoError(t, w.store.SaveNotifications(t.Context(), flow.NotificationChange{Notification: n, Record: record}))
		}
	}
	disabled := func(n *flow.Notification) { refused(n); n.Disabled = true }
	corrects, unchanged := flowexcel.CorrectReport{Corrected: 1}, flowexcel.CorrectReport{Unchanged: 1}
	setBack, settled := flowexcel.CorrectReport{SetBack: 1}, flowexcel.CorrectReport{NotInError: 1}
	all := flowexcel.CorrectConfig{Unchanged: true}
	for name, c := range map[string]struct {
		is     func(*flow.Notification)                    // nil: Registrato
		cells  map[string]any                              // what the operator changes
		since  func(*testing.T, *world, flow.Notification) // what happens between the export and the corrections
		config flowexcel.CorrectConfig
		state  flow.NotificationState // afterwards; default: Errore
		want   flowexcel.CorrectReport
		err    error  // of the row
		header string // where it is told
	}{
		"refused, corrected":                    {is: refused, cells: subject, state: flow.NotificationRegistered, want: corrects},
		"not sent, corrected":                   {is: failed(flow.CodeNotSent), cells: subject, state: flow.NotificationRegistered, want: corrects},
		"refused, left as it is":                {is: refused, want: unchanged},
		"not sent, left as it is":               {is: failed(flow.CodeNotSent), want: unchanged},
		"unreachable, set back by hand":         {is: failed(flow.CodeUnreachable), cells: order, state: flow.NotificationRegistered, want: setBack},
		"unreachable, set back with all":        {is: failed(flow.CodeUnreachable), config: all, state: flow.NotificationRegistered, want: setBack},
		"unknown, left as it is with all":       {is: failed(flow.CodeOutcomeUnknown), config: all, want: unchanged},
		"disabled, left as it is with all":      {is: disabled, config: all, want: unchanged},
		"unknown, corrected":                    {is: failed(flow.CodeOutcomeUnknown), cells: subject, err: flow.ErrMayHaveArrived, header: "Stato"},
		"unknown, set back by hand":             {is: failed(flow.CodeOutcomeUnknown), cells: order, err: flow.ErrMayHaveArrived, header: "Stato"},
		"disabled, corrected":                   {is: disabled, cells: subject, err: flow.ErrDisabled, header: "Stato"},
		"another state by hand":                 {is: failed(flow.CodeUnreachable), cells: map[string]any{"Stato": "Inviato"}, err: excel.ErrCheck, header: "Stato"},
		"sent, left as it is":                   {is: sent, state: flow.NotificationSent, want: settled},
		"sent, corrected":                       {is: sent, cells: subject, state: flow.NotificationSent, err: excel.ErrCheck, header: "Oggetto"},
		"sent, set back by hand":                {is: sent, cells: order, state: flow.NotificationSent, err: excel.ErrCheck, header: "Stato"},
		"registered, left as it is":             {state: flow.NotificationRegistered, want: settled},
		"registered, corrected":                 {cells: subject, state: flow.NotificationRegistered, err: excel.ErrCheck, header: "Oggetto"},
		"edited since, corrected":               {is: refused, cells: subject, since: later, err: flussi.ErrConflict},
		"edited since, set back by hand":        {is: refused, cells: order, since: later, err: flussi.ErrConflict},
		"touched since, set back by hand":       {is: refused, cells: order, since: touched, err: flussi.ErrConflict},
		"touched since, left as it is with all": {is: refused, since: touched, config: all, want: unchanged},
		"disabled since, left as it is":         {is: refused, since: aside, want: unchanged},
		"corrected alike by another since":      {is: refused, cells: subject, since: sameEdit(another), want: unchanged},
		"corrected alike by the operator since": {is: refused, cells: subject, since: sameEdit(operator), state: flow.NotificationRegistered, want: corrects},
		"corrected alike by the operator, after another": {is: refused, cells: subject, since: func(t *testing.T, w *world, n flow.Notification) {
			later(t, w, n)
			sameEdit(operator)(t, w, n)
		}, want: unchanged},
		"registered, failed since":         {since: becomes(refused), want: unchanged},
		"sent, failed since":               {is: sent, since: becomes(refused), want: unchanged},
		"sent, failed since, corrected":    {is: sent, cells: subject, since: becomes(refused), err: flussi.ErrConflict},
		"sent since, set back by hand":     {is: refused, cells: order, since: becomes(sent), state: flow.NotificationSent, want: settled},
		"sent since, corrected":            {is: refused, cells: subject, since: becomes(sent), state: flow.NotificationSent, err: excel.ErrCheck, header: "Oggetto"},
		"set back since, set back by hand": {is: refused, cells: order, since: back, state: flow.NotificationRegistered, want: settled},
		"set back since, corrected":        {is: refused, cells: subject, since: back, state: flow.NotificationRegistered, err: excel.ErrCheck, header: "Oggetto"},
		"corrected with a wrong code":      {is: refused, cells: map[string]any{"Codice fiscale": "RSSMRA"}, err: flussi.ErrLength, header: "Codice fiscale"},
		"corrected to nothing":             {is: refused, cells: map[string]any{"Oggetto": nil}, err: flussi.ErrEmpty, header: "Oggetto"},
		"corrected, too short":             {is: refused, cells: map[string]any{"Oggetto": "corto"}, err: flussi.ErrLength, header: "Oggetto"},
		"another UUID":                     {is: refused, cells: map[string]any{"UUID": uuid.NewString()}, err: flussi.ErrNotFound, header: "UUID"},
		"no UUID":                          {is: refused, cells: map[string]any{"UUID": nil}, err: excel.ErrRequired, header: "UUID"},
		"already sent, left as it is":      {is: failed(flow.CodeAlreadySent), want: unchanged},
		"already sent, set back by hand":   {is: failed(flow.CodeAlreadySent), cells: order, state: flow.NotificationRegistered, want: setBack},
		"already sent, another occasion":   {is: failed(flow.CodeAlreadySent), cells: map[string]any{"Occasione": "sollecito marzo"}, state: flow.NotificationRegistered, want: corrects},
		"no version":                       {is: refused, cells: map[string]any{"Versione": nil}, err: excel.ErrRequired, header: "Versione"},
		"of another flow":                  {is: refused, cells: subject, config: flowexcel.CorrectConfig{Flow: uuid.New()}, err: flussi.ErrNotFound, header: "UUID"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			n := w.seed(t, 2, c.is)
			changes := map[string]any{}
			for header, value := range c.cells {
				changes[column(t, header)+"2"] = value
			}
			file := w.edited(t, changes)
			if c.since != nil {
				c.since(t, w, n)
			}
			before := w.get(t, n.ID)
			report, err := w.correct(t, file, c.config)
			after := w.get(t, n.ID)
			assert.Equal(t, cmp.Or(c.state, flow.NotificationFailed), after.State)
			if c.err != nil {
				require.ErrorIs(t, err, flussi.ErrRows)
				require.Len(t, report.Errors, 1, report.Italian(0))
				require.ErrorIs(t, report.Errors[0], c.err)
				assert.Equal(t, c.header, exceltest.CellErrors(report.Errors)[0].Header)
				assert.Equal(t, 2, report.Errors[0].Row)
				assert.Equal(t, before, after, "a refused row changes nothing")
				c.want = flowexcel.CorrectReport{}
			} else {
				require.NoError(t, err, report.Italian(0))
				assert.True(t, report.OK())
			}
			report.File, report.Invalid, report.Errors = excel.Report{}, 0, nil
			assert.Equal(t, c.want, report)
			if c.want.Corrected+c.want.SetBack == 0 {
				assert.Equal(t, before, after)
				return
			}
			assert.Empty(t, after.Transmission.ErrorCode)
			if c.cells["Oggetto"] != nil {
				assert.Equal(t, corrected, after.Subject.Reveal())
			}
			// The same file once more.
			assert.Equal(t, 1, w.corrects(t, file, c.config).NotInError)
			assert.Equal(t, after, w.get(t, n.ID))
		})
	}
}

// A call that ends between the two steps of a correction is completed by the next one.
func TestSecondCallCompletesAnInterruptedCorrection(t *testing.T) {
	w := newWorld(t)
	n := w.seed(t, 2, refused)
	left := w.seed(t, 3, refused)
	file := w.edited(t, map[string]any{"B2": corrected})

	broken := meddled{Service: w.Service, register: func(uuid.UUID) error { return context.DeadlineExceeded }}
	_, err := correct(t, template(t), broken, file)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	between := w.get(t, n.ID)
	require.Equal(t, flow.NotificationFailed, between.State)
	require.Equal(t, corrected, between.Subject.Reveal())

	assert.Equal(t, 1, w.corrects(t, file).Corrected)
	assert.Equal(t, flow.NotificationRegistered, w.get(t, n.ID).State)
	assert.Equal(t, left, w.get(t, left.ID))
}

// meddled is a service in which something happens before a step, which ends the step if it is an
// error.
type meddled struct {
	flowexcel.Service
	edit, register, history func(id uuid.UUID) error // nil: nothing
}

func before(happens func(id uuid.UUID) error, id uuid.UUID) error {
	if happens == nil {
		return nil
	}
	return happens(id)
}

func (s meddled) EditNotification(ctx context.Context, by flussi.Actor, id uuid.UUID, version int64, d flow.Draft) (flow.Notification, error) {
	if err := before(s.edit, id); err != nil {
		return flow.Notification{}, err
	}
	return s.Service.EditNotification(ctx, by, id, version, d)
}

func (s meddled) RegisterNotification(ctx context.Context, by flussi.Actor, id uuid.UUID) (flow.Notification, error) {
	if err := before(s.register, id); err != nil {
		return flow.Notification{}, err
	}
	return s.Service.RegisterNotification(ctx, by, id)
}

func (s meddled) NotificationHistory(ctx context.Context, by flussi.Actor, id uuid.UUID) ([]flow.NotificationRecord, error) {
	if err := before(s.history, id); err != nil {
		return nil, err
	}
	return s.Service.NotificationHistory(ctx, by, id)
}

func TestCorrectionOfANotificationEditedMeanwhileIsRefused(t *testing.T) {
	w := newWorld(t)
	contested := w.seed(t, 2, refused)
	free := w.seed(t, 3, refused)
	file := w.edited(t, map[string]any{"B2": corrected, "B3": corrected})
	service := meddled{Service: w.Service, edit: func(id uuid.UUID) error {
		if id != contested.ID {
			return nil
		}
		d := contested.Draft
		d.Reference = "di un collega"
		return must.Err(w.EditNotification(t.Context(), another, id, contested.Version, d))
	}}
	report, err := correct(t, template(t), service, file)
	require.ErrorIs(t, err, flussi.ErrRows)
	assert.Equal(t, "1 riga con errori su 2: le altre correzioni sono state applicate.", flussi.Explain(err))
	require.Len(t, report.Errors, 1)
	require.ErrorIs(t, report.Errors[0], flussi.ErrConflict)
	assert.Equal(t, 2, report.Errors[0].Row)
	assert.Equal(t, "di un collega", w.get(t, contested.ID).Reference)
	assert.Equal(t, flow.NotificationFailed, w.get(t, contested.ID).State)
	assert.Equal(t, flow.NotificationRegistered, w.get(t, free.ID).State)
}

func TestAllOrNothingUnlessGoodRowsAreAskedFor(t *testing.T) {
	for _, good := range []bool{false, true} {
		w := newWorld(t)
		a, b := w.seed(t, 2, refused), w.seed(t, 3, refused)
		file := w.edited(t, map[string]any{"B2": corrected, "B3": "corto"})
		report, err := w.correct(t, file, flowexcel.CorrectConfig{SkipInvalid: good})
		assert.Equal(t, flow.NotificationFailed, w.get(t, b.ID).State)
		assert.Equal(t, 1, report.Invalid)
		if good {
			require.NoError(t, err)
			assert.Equal(t, flow.NotificationRegistered, w.get(t, a.ID).State)
			assert.Contains(t, report.Italian(0), "Notifiche riportate a «Registrato», da inviare di nuovo: 1, di cui 1 con i dati modificati.")
		} else {
			require.ErrorIs(t, err, flussi.ErrRows)
			assert.Equal(t, "1 riga con errori su 2: nessuna notifica è stata corretta.", flussi.Explain(err))
			assert.Equal(t, a, w.get(t, a.ID))
		}
	}
}

func TestFileOfWrongRowsOnlyIsAnError(t *testing.T) {
	w := newWorld(t)
	w.seed(t, 2, refused)
	w.seed(t, 3, sent)
	require.ErrorIs(t, must.Err(w.correct(t, w.edited(t, map[string]any{"B2": "corto"}), flowexcel.CorrectConfig{SkipInvalid: true})), flussi.ErrRows)
}

func TestDuplicatesAreFoundBeforeAnythingIsChanged(t *testing.T) {
	w := newWorld(t)
	same := map[string]any{}
	for _, n := range []int{1, 3, 5} {
		w.seed(t, n, refused)
	}
	there := w.seed(t, 7, sent)
	for header, value := range map[string]any{"Codice fiscale": citizen(9).Reveal(), "Oggetto": corrected} {
		same[column(t, header)+"2"], same[column(t, header)+"3"] = value, value // two rows become one message
	}
	same["A4"], same["B4"] = there.Recipient.Reveal(), there.Subject.Reveal() // one becomes what was sent
	file := w.edited(t, same)
	report, err := w.correct(t, file, flowexcel.CorrectConfig{})
	require.ErrorIs(t, err, flussi.ErrRows)
	require.Len(t, report.Errors, 2, report.Italian(0))
	for i, row := range []int{3, 4} {
		require.ErrorIs(t, report.Errors[i], flussi.ErrDuplicate)
		assert.Equal(t, row, report.Errors[i].Row)
	}
	assert.Contains(t, report.Italian(0), "Riga 3: Doppione: lo stesso messaggio per lo stesso cittadino è già alla riga 2. Correggere i dati della riga; se il cittadino deve ricevere due messaggi, indicare un'occasione diversa.")
	assert.Zero(t, report.Corrected)
}

func TestSecondRowOfANotificationIsRefused(t *testing.T) {
	w := newWorld(t)
	n := w.seed(t, 2, refused)
	w.seed(t, 3, refused)
	file := w.edited(t, map[string]any{"K3": n.ID.String(), "B3": corrected})
	report, err := w.correct(t, file, flowexcel.CorrectConfig{})
	require.ErrorIs(t, err, flussi.ErrRows)
	assert.Contains(t, report.Italian(0), "Riga 3, colonna K (UUID): La notifica è già alla riga 2: lasciare una riga sola.")
}

// What happens to a file when software opens and saves it is no correction.
func TestChangesOfSpreadsheetsAreNoCorrection(t *testing.T) {
	w := newWorld(t)
	n := w.seed(t, 3, func(n *flow.Notification) {
		refused(n)
		n.Content = flussi.NewText("  Prima riga,\r\ncon\ttabulazione.\u00a0" + letter + "  ")
		n.Subject = flussi.NewText("Oggetto  riservato\nsu due righe ")
		n.Reference = "TARI  2030"
		n.Occasion = "Sollecito marzo"
		n.DueDate = time.Date(2030, 6, 16, 13, 0, 0, 123456000, time.UTC)
		n.PayableAfterDue = true // which means nothing without a payment
	})
	file := w.edited(t, map[string]any{"B2": "Oggetto riservato su due righe", "C2": "Prima riga,\ncon tabulazione. " + letter, "I2": "TARI 2030 ", "J2": " sollecito\u00a0Marzo\u200b"})
	report := w.corrects(t, file)
	assert.Equal(t, 1, report.Unchanged)

	// And what is corrected beside it keeps the rest as it was.
	file = exceltest.Edit(t, file, map[string]any{"I2": "NUOVO", "J2": "Sollecito marzo"})
	report = w.corrects(t, file)
	want := n.Draft
	want.Reference = "NUOVO"
	assert.Equal(t, want, w.get(t, n.ID).Draft)
	assert.Equal(t, 1, report.Corrected)
}

func TestAFileWithoutAColumnIsRefused(t *testing.T) {
	w := newWorld(t)
	n := w.seed(t, 2, refused)
	for i := range 250 { // more than are looked up at once
		w.seed(t, 10+i, sent)
	}
	for header, reason := range map[string]string{
		"Oggetto": "Manca la colonna «Oggetto» dell'esportazione: esportare di nuovo le notifiche.",
		"Stato":   "Manca la colonna «Stato» dell'esportazione: esportare di nuovo le notifiche.",
		"Errore":  "Manca la colonna «Errore» dell'esportazione: esportare di nuovo le notifiche.",
		"UUID":    "Manca la colonna obbligatoria «UUID»: aggiungerla, o usare il modello.",
	} {
		file := w.edited(t, map[string]any{column(t, header) + "1": nil})
		report, err := w.correct(t, file, flowexcel.CorrectConfig{})
		require.ErrorIs(t, err, excel.ErrHeader, header)
		assert.Equal(t, reason, flussi.Explain(err))
		assert.Contains(t, report.Italian(0), reason)
		assert.Empty(t, report.Errors, "what is not there is not a row's fault")
		assert.Equal(t, n, w.get(t, n.ID))
		var b bytes.Buffer
		require.NoError(t, template(t).AnnotateCorrections(t.Context(), &b, bytes.NewReader(file), int64(len(file)), &report))
	}
	// What operators only look at may be missing, or anything.
	file := w.edited(t, map[string]any{column(t, "Data mod.") + "1": nil, column(t, "Data mod.") + "2": nil,
		column(t, "Tentativi Invio") + "2": "tanti", column(t, "Data invio") + "2": "ieri", column(t, "Dis.") + "2": "boh", column(t, "Stato Mail") + "2": 1.5})
	assert.Equal(t, 1, w.corrects(t, file).Unchanged)
}

func TestCorrectRefusesATemplate(t *testing.T) {
	w := newWorld(t)
	var b bytes.Buffer
	require.NoError(t, template(t).Blank(t.Context(), &b))
	require.ErrorIs(t, must.Err(w.correct(t, b.Bytes(), flowexcel.CorrectConfig{})), excel.ErrHeader)
	_, err := w.correct(t, w.export(t), flowexcel.CorrectConfig{})
	require.ErrorIs(t, err, flussi.ErrEmpty)
	assert.Equal(t, "Non ci sono righe nel file.", flussi.Explain(err))
}

// Operators filter an export by its state, and save it so.
func TestHiddenRowsAreRead(t *testing.T) {
	w := newWorld(t)
	n := w.seed(t, 2, refused)
	w.seed(t, 3, sent)
	file := exceltest.Hide(t, w.edited(t, map[string]any{"B2": corrected}), 2, 3)
	assert.Equal(t, 1, w.corrects(t, file).Corrected)
	assert.Equal(t, flow.NotificationRegistered, w.get(t, n.ID).State)
}

func TestCorrectionsOfManyRows(t *testing.T) {
	w := newWorld(t)
	changes := map[string]any{}
	var all []flow.Notification
	for i := range 450 { // more than are looked up at once
		all = append(all, w.seed(t, 2*i+1, refused))
		if i%3 == 0 {
			changes[exceltest.Ref("B", i+2)] = corrected
		}
	}
	file := w.edited(t, changes)
	report := w.corrects(t, file, flowexcel.CorrectConfig{Flow: w.flow.ID})
	assert.Equal(t, 150, report.Corrected)
	assert.Equal(t, 300, report.Unchanged)
	for i, n := range all {
		assert.Equal(t, i%3 == 0, w.get(t, n.ID).State == flow.NotificationRegistered)
	}
}

// A correction is told what is doubtful about it; what was sent long ago is not.
func TestOnlyCorrectionsHaveWarnings(t *testing.T) {
	w := newWorld(t)
	w.seed(t, 1, refused)
	w.seed(t, 3, sent)
	file := w.edited(t, map[string]any{"B2": corrected})
	report := w.corrects(t, file)
	require.Len(t, report.File.Notes, 1)
	assert.Equal(t, "Riga 2, colonna A (Codice fiscale): Il carattere di controllo del codice fiscale non è corretto: verificare il codice.", report.File.Notes[0].Italian())

	strict := must.Get(flowexcel.New(flowexcel.Config{Codes: flussi.Strict}))(t)
	for header, c := range map[string]struct {
		value any
		err   error
	}{
		"Oggetto":        {corrected, nil}, // a code that is stored is no error
		"Codice fiscale": {citizen(5).Reveal(), flussi.ErrCheckDigits},
		"Numero avviso":  {sampletest.NoticeNumber(5).Reveal(), flussi.ErrCheckDigits},
		"Ente creditore": {"80185250589", flussi.ErrCheckDigits},
	} {
		w := newWorld(t)
		w.seed(t, 2, refused)
		file := w.edited(t, map[string]any{exceltest.Ref(column(t, header), 2): c.value})
		report, err := correct(t, strict, w.Service, file)
		if c.err == nil {
			require.NoError(t, err, report.Italian(0))
			continue
		}
		require.ErrorIs(t, err, flussi.ErrRows)
		require.ErrorIs(t, report.Errors[0], c.err)
		assert.Equal(t, header, exceltest.CellErrors(report.Errors)[0].Header)
	}
}

func TestAnonymisedRowsAreIgnored(t *testing.T) {
	w := newWorld(t)
	before := w.seed(t, 2, sent)
	file := w.export(t)
	require.Equal(t, 1, must.Get(w.Anonymise(t.Context(), operator, taxes, time.Now().Add(-time.Second)))(t))
	for _, file := range [][]byte{file, w.export(t)} {
		assert.Equal(t, 1, w.corrects(t, file).NotInError)
	}
	file = w.edited(t, map[string]any{"A2": before.Recipient.Reveal()})
	require.ErrorIs(t, must.Err(w.correct(t, file, flowexcel.CorrectConfig{})), flussi.ErrRows)
}

// Each column of a draft is looked at by itself: what is corrected in it alone is not lost.
func TestEachColumnCanBeCorrectedAlone(t *testing.T) {
	payee := must.Get(flussi.ParseOrganizationCode("15376371009"))(t)
	due := must.Get(flussi.EndOfDay(2099, time.December, 31))(t)
	for header, c := range map[string]struct {
		cell any
		want func(*flow.Draft)
	}{
		"Codice fiscale":        {citizen(8).Reveal(), func(d *flow.Draft) { d.Recipient = citizen(8) }},
		"Oggetto":               {corrected, func(d *flow.Draft) { d.Subject = flussi.NewText(corrected) }},
		"Contenuto":             {letter + corrected, func(d *flow.Draft) { d.Content = flussi.NewText(letter + corrected) }},
		"Scadenza":              {"31/12/2099", func(d *flow.Draft) { d.DueDate = due }},
		"Somma":                 {"99,99", func(d *flow.Draft) { d.Amount = 9999 }},
		"Numero avviso":         {sampletest.NoticeNumber(8).Reveal(), func(d *flow.Draft) { d.NoticeNumber = sampletest.NoticeNumber(8) }},
		"Ente creditore":        {payee.String(), func(d *flow.Draft) { d.Payee = payee }},
		"Paga dopo la scadenza": {"Sì", func(d *flow.Draft) { d.PayableAfterDue = true }},
		"Riferimento":           {"NUOVO", func(d *flow.Draft) { d.Reference = "NUOVO" }},
		"Occasione":             {"sollecito  marzo", func(d *flow.Draft) { d.Occasion = "sollecito marzo" }},
	} {
		t.Run(header, func(t *testing.T) {
			w := newWorld(t)
			n := w.seed(t, 2, refused)
			want := n.Draft
			c.want(&want)
			file := w.edited(t, map[string]any{column(t, header) + "2": c.cell})
			assert.Equal(t, 1, w.corrects(t, file).Corrected)
			assert.Equal(t, want, w.get(t, n.ID).Draft)
			assert.Equal(t, flow.NotificationRegistered, w.get(t, n.ID).State)
		})
	}
	t.Run("in a row that was sent, its header is told", func(t *testing.T) {
		w := newWorld(t)
		w.seed(t, 2, sent)
		file := w.edited(t, map[string]any{column(t, "Ente creditore") + "2": payee.String(), column(t, "Paga dopo la scadenza") + "2": "Sì"})
		report, err := w.correct(t, file, flowexcel.CorrectConfig{})
		require.ErrorIs(t, err, flussi.ErrRows)
		assert.Contains(t, report.Italian(0), "Colonne cambiate: «Ente creditore» e «Paga dopo la scadenza».")
	})
}

// An earlier call was interrupted only if its change is the last one, of the version that was
// looked up: otherwise what would be set back are other data than the row's.
func TestOnlyAnInterruptedCorrectionIsCompleted(t *testing.T) {
	edit := func(t *testing.T, w *world, id uuid.UUID, subject string) {
		n := w.get(t, id)
		d := n.Draft
		d.Subject = flussi.NewText(subject)
		must.Get(w.EditNotification(t.Context(), operator, id, n.Version, d))(t)
	}
	for name, c := range map[string]struct {
		before    []string // what the operator makes of the subject, after the export
		meanwhile string   // and while the file is looked at
		want      flowexcel.CorrectReport
	}{
		"interrupted":            {before: []string{corrected}, want: flowexcel.CorrectReport{Corrected: 1}},
		"corrected in two steps": {before: []string{"Oggetto di prima", corrected}, want: flowexcel.CorrectReport{Unchanged: 1}},
		"changed in the meantime": {before: []string{corrected}, meanwhile: "Oggetto di un'altra finestra",
			want: flowexcel.CorrectReport{Unchanged: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			n := w.seed(t, 2, refused)
			file := w.edited(t, map[string]any{"B2": corrected})
			for _, subject := range c.before {
				edit(t, w, n.ID, subject)
			}
			service := meddled{Service: w.Service, history: func(id uuid.UUID) error {
				if c.meanwhile != "" {
					edit(t, w, id, c.meanwhile)
				}
				return nil
			}}
			report, err := correct(t, template(t), service, file)
			require.NoError(t, err, report.Italian(0))
			report.File, report.Invalid, report.Errors = excel.Report{}, 0, nil
			assert.Equal(t, c.want, report)
			assert.Equal(t, c.want.Corrected == 1, w.get(t, n.ID).State == flow.NotificationRegistered)
		})
	}
}

// Notifications that stand alone have no flow in which they could be duplicates of each
// other: what their services have, the service tells.
func TestNotificationWithoutFlowIsADuplicateOnlyInItsService(t *testing.T) {
	const others = "anagrafe"
	alone := func(service string) func(*flow.Notification) {
		return func(n *flow.Notification) { refused(n); n.FlowID, n.Service = uuid.Nil, service }
	}
	for name, c := range map[string]struct {
		second string // the service of the second row, which is to be the same as the first
		there  func(*flow.Notification)
		rows   []int // that are refused
	}{
		"two of one service":                 {taxes, nil, []int{3}},
		"two of different services":          {others, nil, nil},
		"one that its service has":           {others, func(n *flow.Notification) { sent(n); n.FlowID = uuid.Nil }, []int{2}},
		"one that its service has in a flow": {others, sent, []int{2}},
		"one that another service has":       {taxes, func(n *flow.Notification) { sent(n); n.FlowID, n.Service = uuid.Nil, "scuola" }, []int{3}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			nobody := func(context.Context, string) (flow.Sender, error) { return nil, errors.New("nothing is sent here") }
			service, err := flow.NewService(w.store, flow.Permissions{operator.ID: {taxes, others, "scuola"}}, nobody, flow.ServiceConfig{})
			require.NoError(t, err)
			rows := []flow.Notification{w.seed(t, 1, alone(taxes)), w.seed(t, 3, alone(c.second))}
			cells := map[string]any{}
			for i := range rows {
				cells[exceltest.Ref("A", i+2)], cells[exceltest.Ref("B", i+2)], cells[exceltest.Ref("C", i+2)] = citizen(9).Reveal(), corrected, letter+corrected
			}
			if c.there != nil {
				w.seed(t, 5, func(n *flow.Notification) {
					c.there(n)
					n.Recipient, n.Subject, n.Content = citizen(9), flussi.NewText(corrected), flussi.NewText(letter+corrected)
				})
			}
			file := exceltest.Edit(t, export(t, func(yield func(flow.Notification, error) bool) {
				for _, n := range rows {
					if !yield(n, nil) {
						return
					}
				}
			}), cells)
			report, err := correct(t, template(t), service, file)
			assert.Equal(t, 2-len(c.rows), report.Corrected, report.Italian(0))
			require.Len(t, report.Errors, len(c.rows), report.Italian(0))
			for i, row := range c.rows {
				require.ErrorIs(t, err, flussi.ErrRows)
				require.ErrorIs(t, report.Errors[i], flussi.ErrDuplicate)
				assert.Equal(t, row, report.Errors[i].Row)
			}
			for i, n := range rows {
				assert.Equal(t, !slices.Contains(c.rows, i+2), w.get(t, n.ID).State == flow.NotificationRegistered)
			}
		})
	}
}

// What is about one notification is told at its row, and the others are corrected; what the
// service works with fails the call.
func TestRefusalFailsOneRowAndFailureTheCall(t *testing.T) {
	broken := errors.New("disk full")
	for name, c := range map[string]struct {
		err     error
		refusal error // as it is told at the row; nil: it is a failure
	}{
		"it does not exist any more":      {flussi.ErrNotFound, flussi.ErrNotFound},
		"somebody else was faster":        {flussi.ErrConflict, flussi.ErrConflict},
		"the right was taken away":        {flussi.ErrForbidden, flussi.ErrForbidden},
		"a duplicate":                     {flussi.ErrDuplicate, flussi.ErrDuplicate},
		"the flow is being sent":          {flussi.ErrState, flussi.ErrState},
		"the data are not valid":          {&flussi.InvalidError{Fields: []*flussi.ValueError{{Type: "Subject", Err: flussi.ErrLength, Reason: "Troppo corto."}}}, flussi.ErrLength},
		"it was disabled":                 {&flussi.ValueError{Type: "Notification", Err: flow.ErrDisabled, Reason: "È disabilitata."}, flow.ErrDisabled},
		"the store fails":                 {broken, nil},
		"the context ends":                {context.Canceled, nil},
		"the store fails, in other words": {fmt.Errorf("edit: %w", broken), nil},
		"the store fails, and says why":   {&flussi.Error{Operation: "save", Err: broken}, nil},
		"it is not known whether it is":   {&flussi.Error{Operation: "save", Err: flussi.ErrCommitUnknown}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			first, second := w.seed(t, 2, refused), w.seed(t, 3, refused)
			file := w.edited(t, map[string]any{"B2": corrected, "B3": corrected})
			service := meddled{Service: w.Service, edit: func(id uuid.UUID) error {
				if id == first.ID {
					return &flussi.Error{Operation: "edit notification", ID: id, Err: c.err}
				}
				return nil
			}}
			report, err := correct(t, template(t), service, file)
			assert.Equal(t, flow.NotificationFailed, w.get(t, first.ID).State)
			if c.refusal == nil {
				require.ErrorIs(t, err, c.err)
				assert.Equal(t, second, w.get(t, second.ID), "it ends at once")
				return
			}
			require.ErrorIs(t, err, flussi.ErrRows)
			require.Len(t, report.Errors, 1)
			require.ErrorIs(t, report.Errors[0], c.refusal)
			assert.Equal(t, 2, report.Errors[0].Row)
			assert.Equal(t, flow.NotificationRegistered, w.get(t, second.ID).State)
		})
	}
}

// Spreadsheets drop characters that cannot be seen, or make others of them.
func TestInvisibleCharactersAreNoCorrection(t *testing.T) {
	for name, unseen := range map[string]string{
		"a control character": "\x01", "escape": "\x1b", "one of C1": "\u0085", "delete": "\x7f", "U+FFFE": "\ufffe", "U+FFFF": "\uffff", "a replacement": "\ufffd",
		"a zero-width space": "\u200b", "a soft hyphen": "\u00ad", "a mark of direction": "\u200e",
		"a tab": "\t", "a line": "\r\n", "a hard space": "\u00a0",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			n := w.seed(t, 3, func(n *flow.Notification) {
				refused(n)
				n.Subject = flussi.NewText(unseen + "Oggetto" + unseen + " riservato" + unseen)
				n.Content = flussi.NewText("Prima " + unseen + letter + unseen + "ultima")
				n.Reference = "TARI " + unseen + unseen + "2030"
			})
			dropped := map[string]any{"B2": "Oggetto riservato", "C2": "Prima " + letter + "ultima", "I2": "TARI 2030"}
			for _, file := range [][]byte{w.export(t), w.edited(t, dropped)} {
				report := w.corrects(t, file)
				assert.Equal(t, 1, report.Unchanged, report.Italian(0))
				assert.Equal(t, n, w.get(t, n.ID))
			}
		})
	}
}

func TestInvisibleCharacterInAWordIsNoCorrection(t *testing.T) {
	w := newWorld(t)
	w.seed(t, 1, func(n *flow.Notification) {
		refused(n)
		n.Subject = flussi.NewText("Oggetto riser\x01vato al cittadino")
	})
	report := w.corrects(t, w.edited(t, map[string]any{"B2": "Oggetto riservato al cittadino"}))
	assert.Equal(t, 1, report.Unchanged, report.Italian(0))
}

func TestCorrectedTextHasNoForbiddenCharacters(t *testing.T) {
	w := newWorld(t)
	w.seed(t, 2, refused)
	report, err := w.correct(t, w.edited(t, map[string]any{"B2": corrected + "\u202e"}), flowexcel.CorrectConfig{})
	require.ErrorIs(t, err, flussi.ErrRows)
	assert.Contains(t, report.Italian(0), "Riga 2, colonna B (Oggetto): Il testo contiene un carattere non ammesso (U+202E")

	// What was stored so stays, when another column is corrected.
	w = newWorld(t)
	n := w.seed(t, 2, func(n *flow.Notification) {
		refused(n)
		n.Subject = flussi.NewText("Oggetto riservato\u202e al cittadino")
	})
	assert.Equal(t, 1, w.corrects(t, w.edited(t, map[string]any{"I2": "NUOVO"})).Corrected)
	assert.Equal(t, n.Subject, w.get(t, n.ID).Subject)
}

func TestCorrectReportSaysWhatWasSetBack(t *testing.T) {
	for want, r := range map[string]flowexcel.CorrectReport{
		"Nessuna notifica è stata riportata a «Registrato».\n":                                          {Unchanged: 2},
		"Notifiche riportate a «Registrato», da inviare di nuovo: 3.\n":                                 {SetBack: 3},
		"Notifiche riportate a «Registrato», da inviare di nuovo: 3, di cui 2 con i dati modificati.\n": {SetBack: 1, Corrected: 2},
		"Notifiche riportate a «Registrato», da inviare di nuovo: 1, di cui 1 con i dati modificati.\n": {Corrected: 1},
	} {
		r.File.Complete = true
		assert.True(t, strings.HasPrefix(r.Italian(0), want), r.Italian(0))
	}
}
