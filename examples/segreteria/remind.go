package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
)

// remind writes to the parents whose notices are still to be paid, as a flow of App IO, shows what
// arrived, and prepares a reminder.
func (d *demo) remind(ctx context.Context) error {
	d.appIO.AddCitizen(appiotest.Citizen{Code: parent(notOnAppIO), Absent: true})
	f, report, err := d.messages.Import(ctx, assistant, d.trip, appService, flow.Details{}, flow.AddConfig{SkipInvalid: true})
	if err != nil {
		return err
	}
	if err := d.say("%s", report.Italian()); err != nil {
		return err
	}
	if f, err = d.service.ActivateFlow(ctx, assistant, f.ID); err != nil {
		return err
	}
	if f, err = d.service.SendFlow(ctx, assistant, f.ID); err != nil {
		return err
	}
	if f, err = d.dispatcher.Run(ctx, f.ID); err != nil {
		return err
	}
	if err := d.say("Il flusso è «%s». Messaggi inviati: %d. Messaggi in errore: %d.\n", f.State.Label(), f.Counts.Sent, f.Counts.Failed); err != nil {
		return err
	}
	for n, err := range d.service.AllNotifications(ctx, assistant, flow.NotificationFilter{Flow: f.ID, States: []flow.NotificationState{flow.NotificationFailed}}) {
		if err != nil {
			return err
		}
		if err := d.say("- Messaggio in errore («%[2]s»): %[1]s.\n", n.Subject.Reveal(), n.Transmission.ErrorCode.Label()); err != nil {
			return err
		}
	}
	if err := d.showDelivered(); err != nil {
		return err
	}
	_, _, err = d.messages.Import(ctx, assistant, d.trip, appService, flow.Details{}, flow.AddConfig{SkipInvalid: true})
	again, err := refuses(assistant, "writing to everybody again", err)
	if err != nil {
		return err
	}
	if err := d.say("Una seconda volta: %s\n", again.why); err != nil {
		return err
	}
	return d.prepareReminder(ctx)
}

// prepareReminder imports a flow of reminders, and does not send it. Its occasion makes the
// reminders other messages than the first ones; a second call with the same occasion is refused.
func (d *demo) prepareReminder(ctx context.Context) error {
	config := flow.AddConfig{SkipInvalid: true, Occasion: "primo sollecito"}
	_, report, err := d.messages.Import(ctx, assistant, d.trip, appService, flow.Details{Note: flussi.NewText("Primo sollecito")}, config)
	if err != nil {
		return err
	}
	if err := d.say("Un sollecito ha un'altra occasione, qui «%s». Messaggi preparati: %d.\n", config.Occasion, report.Added.Added); err != nil {
		return err
	}
	_, _, err = d.messages.Import(ctx, assistant, d.trip, appService, flow.Details{}, config)
	again, err := refuses(assistant, "preparing the reminder again", err)
	if err != nil {
		return err
	}
	return d.say("Una seconda volta: %s\n", again.why)
}

// message is what a delivery holds.
type message struct {
	Content struct {
		Markdown string `json:"markdown"`
		DueDate  string `json:"due_date"`
		Payment  struct {
			Amount flussi.Cents `json:"amount"`
		} `json:"payment_data"`
	} `json:"content"`
}

// showDelivered prints what App IO has: an overview, and one message whole.
func (d *demo) showDelivered() error {
	t := d.table("Consegnato", "Da pagare", "Entro il", "Stato")
	sample := ""
	for _, delivery := range d.appIO.Deliveries() {
		var m message
		if err := json.Unmarshal([]byte(delivery.Request.Reveal()), &m); err != nil {
			return err
		}
		due, err := time.Parse(time.RFC3339, m.Content.DueDate)
		if err != nil {
			return err
		}
		t.Row(delivery.Subject.Reveal(), m.Content.Payment.Amount.Euro(), date(due), delivery.State.Status)
		if sample == "" {
			sample = fmt.Sprintf("\nIl primo messaggio:\n\n%s\n", indent(m.Content.Markdown))
		}
	}
	if err := d.writeTable(t); err != nil {
		return err
	}
	return d.say("%s", sample)
}
