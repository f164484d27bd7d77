package noticeexcel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/sampletest"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
	"github.com/flussi-go/flussi/pagoinrete/noticeexcel"
)

// The empty workbook, for the office to fill in.
func ExampleTemplate_Blank() {
	template, err := noticeexcel.New(noticeexcel.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	var file bytes.Buffer // such as an http.ResponseWriter
	err = template.Blank(context.Background(), &file)
	fmt.Println(file.Len() > 0, err)
	// Output:
	// true <nil>
}

// A file makes the notices of an event, all of it or nothing, and the office is told what
// to correct.
func ExampleTemplate_Rows() {
	ctx := context.Background()
	assistant := flussi.Actor{ID: "l.bianchi", Roles: []flussi.Role{flussi.AdminAssistant}}
	service, event := simulated(ctx, assistant)
	template, _ := noticeexcel.New(noticeexcel.Config{})

	file := strings.NewReader("CF alunno;Alunno;CF genitore;Rata;Importo\n" +
		"MSCMHL68P18H211K;Moschini Michele;RSSMRA80A01H501U;;\n" +
		"RSSMRA80A01H501U;;;4;\n" +
		"MSCMHL68P18H211K;Moschini Michele;RSSMRA80A01H501U;1;50,00\n")

	var report excel.Report
	rows := template.Rows(ctx, file, file.Size(), &report)
	added, err := service.AddNotices(ctx, assistant, event.ID, rows, pagoinrete.AddConfig{})
	if err != nil && !errors.Is(err, flussi.ErrRows) {
		fmt.Println(flussi.Explain(err))
		return
	}
	fmt.Print(noticeexcel.Italian(&report, added, 0))

	var marked bytes.Buffer // the office's own file, with the wrong cells marked
	err = template.Annotate(ctx, &marked, file, file.Size(), &report, added)
	fmt.Println(marked.Len() > 0, err)
	// Output:
	// Nessun avviso è stato creato: correggere le righe con errori e importare di nuovo il file.
	// Righe senza errori: 1. Righe con errori: 2.
	// Colonne facoltative mancanti: «Tipo», «Sconto», «Scadenza» e «Riferimento».
	//
	// Da correggere (righe con errori):
	// - Riga 3, colonna D (Rata): La rata non esiste: l'evento ha 3 rate.
	// - Riga 4: Doppione: un avviso per lo stesso debitore e la rata 1 è già alla riga 2. Togliere una delle due righe.
	// true <nil>
}

// The notices of an event, and what became of them, as a workbook.
func ExampleTemplate_Export() {
	ctx := context.Background()
	assistant := flussi.Actor{ID: "l.bianchi", Roles: []flussi.Role{flussi.AdminAssistant}}
	service, event := simulated(ctx, assistant)
	_, _ = service.AddNotices(ctx, assistant, event.ID, pagoinrete.NoticeDraftRows(pagoinrete.NoticeDraft{Debtor: person(1), Discount: 1_000}), pagoinrete.AddConfig{})
	template, _ := noticeexcel.New(noticeexcel.Config{})

	var file bytes.Buffer
	err := template.Export(ctx, &file, service.AllNotices(ctx, assistant, pagoinrete.NoticeFilter{Event: event.ID}))
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}

	book, _ := excelize.OpenReader(&file)
	defer book.Close()
	rows, _ := book.GetRows("Avvisi")
	fmt.Println(strings.Join(rows[0][:20], ", "))
	for _, row := range rows[1:] {
		fmt.Println("rata", row[4], row[9], row[12])
	}
	// Output:
	// Codice fiscale debitore, Cognome e nome, Tipo, Codice fiscale versante, Rata, Importo, Sconto, Scadenza, Riferimento, Da pagare, UUID, Macrostato Scuola, Stato utente Scuola, Stato utente Famiglia, Codice avviso, IUV, Visibile in Area Tutore, Versante registrato, Versante connesso, Discrepanza
	// rata 1 45.00 Non collegato a Pago in Rete
	// rata 2 27.00 Non collegato a Pago in Rete
	// rata 3 18.00 Non collegato a Pago in Rete
}

// simulated is a service with an event of three instalments that is Simulato.
func simulated(ctx context.Context, by flussi.Actor) (*pagoinrete.Service, pagoinrete.Event) {
	store := memstore.New()
	noPlatform := func(context.Context, string) (pagoinrete.Gateway, error) {
		return nil, errors.New("nothing is transmitted in this example")
	}
	service, _ := pagoinrete.NewService(store, pagoinrete.Permissions{by.ID: {"RMIC8GA002"}}, noPlatform, pagoinrete.ServiceConfig{})
	event, _ := pagoinrete.NewEvent(pagoinrete.Fee, "RMIC8GA002", by)
	event.EventData, event.State = sampletest.Fee(), pagoinrete.EventSimulated
	_ = store.SaveEvent(ctx, pagoinrete.EventChange{Event: event, Record: pagoinrete.EventRecord{At: event.CreatedAt, By: by.ID, Action: pagoinrete.EventSave, To: event.State}}, nil)
	return service, event
}
