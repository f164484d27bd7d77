package main

import (
	"context"
	"time"

	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/pagoinrete"
)

// donation plays an event that has no notices: four of the operations are refused, and the
// others bring it to the families.
func (d *demo) donation(ctx context.Context) error {
	now := time.Now().In(cli.Italy())
	e, err := d.CreateEvent(ctx, assistant, pagoinrete.Donation, school, pagoinrete.EventData{
		Name: "Ampliamento dell'offerta formativa", Causale: "Erogazione liberale", SchoolYear: schoolYear(now), FinancialYear: now.Year(),
		Account: "IT60X0542811101000000123456", Flexible: true, Repeatable: true,
	})
	if err != nil {
		return err
	}
	if e, err = d.TransmitEvent(ctx, assistant, e.ID); err != nil {
		return err
	}
	t := d.table("N.", "Operazione", "Risposta")
	not := func(number int, err error) error {
		r, err := refuses(assistant, operationNames[number-1], err)
		t.Row(number, r.what, r.why)
		return err
	}
	_, err = d.AddNotices(ctx, assistant, e.ID, pagoinrete.NoticeDraftRows(pagoinrete.NoticeDraft{Debtor: pupil(0)}), pagoinrete.AddConfig{})
	if err := not(3, err); err != nil {
		return err
	}
	_, err = d.TransmitNotices(ctx, assistant, e.ID)
	if err := not(4, err); err != nil {
		return err
	}
	if _, err := d.SubmitEvent(ctx, assistant, e.ID); err != nil {
		return err
	}
	if _, err := d.ApproveEvent(ctx, principal, e.ID); err != nil {
		return err
	}
	if e, err = d.NotifyEvent(ctx, assistant, e.ID); err != nil {
		return err
	}
	for _, err = range d.EventPDFs(ctx, assistant, e.ID) {
	}
	if err := not(8, err); err != nil {
		return err
	}
	_, err = d.ShowEvent(ctx, assistant, e.ID)
	if err := not(9, err); err != nil {
		return err
	}
	if err := d.writeTable(t); err != nil {
		return err
	}
	return d.say("Le altre operazioni sono state eseguite: l'evento «%s» è «%s», e chiunque può donare.\n", e.Name, e.State.Label())
}
