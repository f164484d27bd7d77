package noticeexcel_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/sampletest"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
	"github.com/flussi-go/flussi/pagoinrete/noticeexcel"
)

const school = "RMIC8GA002"

var assistant = flussi.Actor{ID: "l.bianchi", Roles: []flussi.Role{flussi.AdminAssistant}}

// world is a service on a store in memory.
type world struct {
	*pagoinrete.Service
	store pagoinrete.Store
	event pagoinrete.Event // Simulato, of three instalments
}

func newWorld(t testing.TB) *world {
	t.Helper()
	store := memstore.New()
	nobody := func(context.Context, string) (pagoinrete.Gateway, error) {
		return nil, errors.New("nothing is transmitted here")
	}
	service := must.Get(pagoinrete.NewService(store, pagoinrete.Permissions{assistant.ID: {school}}, nobody, pagoinrete.ServiceConfig{}))(t)
	w := &world{Service: service, store: store}
	w.event = w.seed(t, func(*pagoinrete.Event) {})
	return w
}

// seed stores an event in whatever state it is made to have.
func (w *world) seed(t testing.TB, change func(*pagoinrete.Event)) pagoinrete.Event {
	t.Helper()
	e := must.Get(pagoinrete.NewEvent(pagoinrete.Fee, school, assistant))(t)
	e.State, e.EventData = pagoinrete.EventSimulated, sampletest.Fee()
	change(&e)
	require.NoError(t, w.store.SaveEvent(t.Context(), pagoinrete.EventChange{Event: e, Record: pagoinrete.EventRecord{
		At: e.CreatedAt, By: assistant.ID, Action: pagoinrete.EventSave, To: e.State}}, nil))
	e = must.Get(w.store.Event(t.Context(), e.ID))(t)
	return e
}

// add gives a file to the event, as an office does.
func (w *world) add(t testing.TB, file []byte, c pagoinrete.AddConfig) (pagoinrete.AddReport, *excel.Report, error) {
	t.Helper()
	var report excel.Report
	added, err := w.AddNotices(t.Context(), assistant, w.event.ID, template(t).Rows(t.Context(), bytes.NewReader(file), int64(len(file)), &report), c)
	return added, &report, err
}

func (w *world) notices(t testing.TB) []pagoinrete.Notice {
	t.Helper()
	var all []pagoinrete.Notice
	for n, err := range w.AllNotices(t.Context(), assistant, pagoinrete.NoticeFilter{}) {
		require.NoError(t, err)
		all = append(all, n)
	}
	return all
}

func template(t testing.TB) *noticeexcel.Template {
	t.Helper()
	return must.Get(noticeexcel.New(noticeexcel.Config{}))(t)
}

// imports are the imports of a template.
func imports(t testing.TB) exceltest.Workbook[pagoinrete.NoticeRow] { return importsOf(template(t)) }

func importsOf(tpl *noticeexcel.Template) exceltest.Workbook[pagoinrete.NoticeRow] {
	return exceltest.Of(tpl, func(r pagoinrete.NoticeRow) int { return r.Number },
		func(r flussi.ImportReport) pagoinrete.AddReport { return pagoinrete.AddReport{ImportReport: r} })
}

func export(t testing.TB, notices iter.Seq2[pagoinrete.Notice, error]) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, template(t).Export(t.Context(), &b, notices))
	return b.Bytes()
}

var importHeaders = []string{"Codice fiscale debitore", "Cognome e nome", "Tipo", "Codice fiscale versante", "Rata", "Importo", "Sconto", "Scadenza", "Riferimento"}

var exportHeaders = append(slices.Clone(importHeaders), "Da pagare", "UUID", "Macrostato Scuola", "Stato utente Scuola", "Stato utente Famiglia", "Codice avviso", "IUV",
	"Visibile in Area Tutore", "Versante registrato", "Versante connesso", "Discrepanza", "Discrepanza archiviata", "Errore", "ID Pago In Rete", "Utente mod.", "Data mod.",
	"Ricevuta (RT)", "Importo RT", "Data RT", "Riversamento PSP", "Importo riversamento", "Data riversamento",
	"Movimento OIL", "Importo movimento", "Data movimento", "Movimento abbinato da",
	"Riscontro manuale", "Importo riscontro", "Data riscontro", "Riscontrato da",
	"Mandato di rimborso", "Importo rimborso", "Data rimborso", "Rimborsato da")

func person(n int) flussi.FiscalCode { return sampletest.FiscalCode(n) }

func code(s string) flussi.FiscalCode {
	c, _ := flussi.ParseFiscalCode(s)
	return c
}

func endOfDay(t testing.TB, year int, month time.Month, day int) time.Time {
	t.Helper()
	return must.Get(flussi.EndOfDay(year, month, day))(t)
}

// whole is a notice with something in every field.
func whole(t testing.TB) pagoinrete.Notice {
	t.Helper()
	number := must.Get(flussi.ParseNoticeNumber("301005100001400678"))(t)
	proof := func(reference string, amount flussi.Cents, day int, by string) pagoinrete.Proof {
		return pagoinrete.Proof{Reference: reference, Amount: amount, Date: time.Date(2099, 4, day, 0, 0, 0, 0, time.UTC), By: by}
	}
	return pagoinrete.Notice{
		ID: uuid.MustParse("7cc0c865-87fd-4002-92ec-7952f211640d"), EventID: uuid.New(), School: school, State: pagoinrete.NoticePaidOnline, Instalment: 2,
		NoticeData: pagoinrete.NoticeData{Debtor: person(1), DebtorKind: pagoinrete.DebtorPupil, DebtorName: flussi.NewText("Rossi Maria"), Payer: person(2),
			Amount: 5_000, Discount: 500, DueDate: endOfDay(t, 2099, 3, 31), Reference: "GITA-1"},
		Number: number, RemoteID: "PIR-1", PayerRegistered: true, PayerLoggedIn: true, Visible: true,
		Evidence: pagoinrete.Evidence{
			Receipt: proof("RT-1", 4_500, 1, ""), Settlement: proof("RIV-1", 4_501, 2, ""), Movement: proof("OIL-1", 4_502, 3, "m.neri"),
			Manual: proof("BOLL-1", 4_503, 4, "l.bianchi"), Refund: proof("MAND-1", 4_504, 5, "p.verdi"),
		},
		Discrepancy: pagoinrete.Discrepancy{Kind: pagoinrete.DiscrepancyPaidTwice, Resolved: true}, Error: "Importo non ammesso.",
		CreatedAt: time.Date(2099, 2, 28, 16, 0, 0, 0, time.UTC), UpdatedAt: time.Date(2099, 2, 28, 16, 47, 53, 0, time.UTC), UpdatedBy: "a.verdi", Version: 7,
	}
}
