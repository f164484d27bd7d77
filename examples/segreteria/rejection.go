package main

import (
	"context"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

// rejection plays an event that the principal sends back. The office corrects it and submits
// it again; its history is shown.
func (d *demo) rejection(ctx context.Context) error {
	e, err := d.CreateEvent(ctx, assistant, pagoinrete.Fee, school, fee("Ingresso ai musei", "Ingresso", 1_200, 1_200))
	if err != nil {
		return err
	}
	if e, err = d.TransmitEvent(ctx, assistant, e.ID); err != nil {
		return err
	}
	drafts := make([]pagoinrete.NoticeDraft, 3)
	for i := range drafts {
		drafts[i] = pagoinrete.NoticeDraft{Debtor: pupil(i), DebtorName: flussi.NewText(pupils[i]), Payer: parent(i)}
	}
	if _, err := d.AddNotices(ctx, assistant, e.ID, pagoinrete.NoticeDraftRows(drafts...), pagoinrete.AddConfig{}); err != nil {
		return err
	}
	if _, err := d.TransmitNotices(ctx, assistant, e.ID); err != nil {
		return err
	}
	if _, err := d.SubmitEvent(ctx, assistant, e.ID); err != nil {
		return err
	}
	if e, err = d.RejectEvent(ctx, principal, e.ID, flussi.NewText("La causale non dice quali musei.")); err != nil {
		return err
	}
	if err := d.say("L'evento «%s» è «%s». Il motivo: %s\n", e.Name, e.State.Label(), e.Rejection.Reveal()); err != nil {
		return err
	}
	corrected := e.EventData
	corrected.Causale = "Ingresso ai Musei Capitolini, classi seconde"
	if e, err = d.EditEvent(ctx, assistant, e.ID, e.Version, corrected); err != nil {
		return err
	}
	if _, err := d.SubmitEvent(ctx, assistant, e.ID); err != nil {
		return err
	}
	if _, err = d.ApproveEvent(ctx, principal, e.ID); err != nil {
		return err
	}
	return d.showHistory(ctx, e)
}

// showHistory prints what was done to an event, by whom, and why.
func (d *demo) showHistory(ctx context.Context, e pagoinrete.Event) error {
	records, err := d.EventHistory(ctx, assistant, e.ID)
	if err != nil {
		return err
	}
	t := d.table("Chi", "Azione", "Stato", "Motivo")
	for _, r := range records {
		t.Row(r.By, r.Action.Label(), r.To.Label(), r.Explanation().Reveal())
	}
	return d.writeTable(t)
}
