package main

import (
	"context"
	"io"

	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/pagoinrete"
)

// export writes the notices as a workbook, and says where everything is and what the
// simulators have.
func (d *demo) export(ctx context.Context) error {
	if _, err := d.VerifyOpen(ctx, assistant, school); err != nil {
		return err
	}
	result := d.path("esito.xlsx")
	err := write(result, func(w io.Writer) error {
		return d.template.Export(ctx, w, d.AllNotices(ctx, assistant, pagoinrete.NoticeFilter{Schools: []string{school}}))
	})
	if err != nil {
		return err
	}
	if err := d.tellTruth(); err != nil {
		return err
	}
	return d.say("Tutti gli avvisi con stati e prove: %s\nNella stessa cartella: alunni.xlsx, alunni-errori.xlsx, i PDF (avvisi), l'archivio (segreteria.db), e i file del PSP e della tesoreria (flusso-1.xml, flusso-2.xml, giornale.xml), per il comando riconcilia.\n", cli.Name(result))
}

// tellTruth says what the simulators have, whatever the office believes.
func (d *demo) tellTruth() error {
	events, notices := d.pagoInRete.Events(), d.pagoInRete.Notices()
	most := 0
	for _, e := range events {
		most = max(most, e.Created)
	}
	for _, n := range notices {
		most = max(most, n.Created)
	}
	twice := "nessuno creato due volte"
	if most > 1 {
		twice = "qualcuno creato più volte"
	}
	got, same := map[string]int{}, "nessuno due volte"
	for _, delivery := range d.appIO.Deliveries() {
		key := delivery.Recipient.Reveal() + delivery.Subject.Reveal()
		if got[key]++; got[key] > 1 {
			same = "qualcuno più volte"
		}
	}
	return d.say("Registro dei simulatori: %s e %s, %s; %s, %s.\n", italian.Event.Count(len(events)), italian.Notice.Count(len(notices)), twice,
		italian.Count(len(got), "messaggio consegnato", "messaggi consegnati"), same)
}
