package flowexcel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/italian"
)

// correction is a row that sets a notification back.
type correction struct {
	row       int
	notes     []excel.Note
	now       flow.Notification
	draft     flow.Draft // what it is to say
	edit      bool       // it does not say that yet
	corrected bool       // it is not what was exported
	refused   error      // why it is not made after all
}

// judge decides about a row: it plans the correction, refuses the row, or counts that
// there is nothing to do.
func (a *correcting) judge(ctx context.Context, c correction, row exported) error {
	registered, current := flow.NotificationRegistered.Label(), c.now.State.Label()
	written := strings.TrimSpace(row.state)
	var changed []string // the headers of what is to be different
	if slices.Contains(a.report.File.Missing, occasionHeader) {
		row.Occasion = c.now.Occasion // an export of an earlier version
	}
	c.draft, changed = mergeDraft(c.now.Draft, row.entry, a.hasOption)

	failed := c.now.State == flow.NotificationFailed
	exportedFailed := row.failure != ""
	fresh := row.version == c.now.Version // nothing happened to it since the export
	// With another version, Registrato may be what was exported.
	ordered := strings.EqualFold(written, registered) && c.now.State != flow.NotificationRegistered && (fresh || exportedFailed)
	interrupted := false
	if failed && len(changed) == 0 && row.version+1 == c.now.Version {
		var err error
		if interrupted, err = a.interrupted(ctx, c.now); err != nil {
			return err
		}
	}
	anonymised := !c.now.AnonymisedAt.IsZero()

	switch {
	case fresh && written != "" && !strings.EqualFold(written, current) && !ordered && !strings.EqualFold(written, registered):
		a.refuse(c.row, excel.NewCheckError(stateHeader, fmt.Sprintf("Lo stato è «%s»: lasciarlo com'è, oppure scrivere «%s» se la notifica è in «Errore» ed è da inviare di nuovo.", current, registered)))
	case anonymised && !ordered && !(fresh && len(changed) > 0):
		a.report.NotInError++ // the row may say what was erased since
	case !failed && len(changed) == 0 && !(ordered && fresh):
		a.report.NotInError++
	case !failed:
		a.refuse(c.row, notFailed(c.now, changed))
	case interrupted:
		c.corrected = true
		a.plan(ctx, c, row)
	case len(changed) == 0 && !ordered && !(a.config.Unchanged && fresh && a.mayRegister(ctx, c.now) == nil):
		a.report.Unchanged++
	case !fresh:
		a.refuse(c.row, &flussi.ValueError{Type: "Row", Err: flussi.ErrConflict,
			Reason: "La notifica è stata modificata dopo l'esportazione: esportarla di nuovo e correggerla nel nuovo file."})
	default:
		c.edit = len(changed) > 0
		c.corrected = c.edit
		a.plan(ctx, c, row)
	}
	return nil
}

// interrupted reports whether the last thing that happened to a notification in Errore is
// that the operator changed its data: then an earlier call could not set it back.
func (a *correcting) interrupted(ctx context.Context, n flow.Notification) (bool, error) {
	history, err := a.service.NotificationHistory(ctx, a.by, n.ID)
	if err != nil || len(history) == 0 {
		return false, err
	}
	last := history[len(history)-1]
	return last.Version == n.Version && last.Action == flow.NotificationEdit && last.By == a.by.ID, nil
}

// plan plans a correction, unless the notification or its data do not permit it.
func (a *correcting) plan(ctx context.Context, c correction, row exported) {
	if err := a.mayRegister(ctx, c.now); err != nil {
		a.refuse(c.row, excel.NewCellError(stateHeader, err))
		return
	}
	if c.edit {
		if err := a.template.judge(c.now.Draft, c.draft, row.late); err != nil {
			a.refuse(c.row, err)
			return
		}
	}
	a.planned = append(a.planned, c)
}

// mayRegister returns why the notification cannot be set back, or nil.
func (a *correcting) mayRegister(ctx context.Context, n flow.Notification) error {
	return n.Fire(ctx, flow.NotificationRegister, a.by) // of a copy
}

// notFailed is the error of a row that was changed although there is nothing to correct.
func notFailed(n flow.Notification, changed []string) error {
	reason := fmt.Sprintf("La notifica è nello stato «%s»", n.State.Label())
	if n.State == flow.NotificationSent {
		reason = "La notifica è già stata inviata"
	}
	reason += ", e si correggono solo le notifiche in «Errore»: rimettere i valori esportati, o eliminare la riga."
	if len(changed) == 0 {
		return excel.NewCheckError(stateHeader, reason)
	}
	return excel.NewCheckError(changed[0], fmt.Sprintf("%s %s: %s.", reason, italian.Choose(len(changed), "Colonna cambiata", "Colonne cambiate"), italian.Quoted(changed)))
}

// judge is check for a correction: codes that are doubtful, and texts with characters that an
// import refuses, are no error if they were stored so.
func (t *Template) judge(old, d flow.Draft, late *bool) error {
	errs := []error{d.Validate(t.config.Limits), lateFault(d, late)}
	doubt := func(header string, changed bool, err error) {
		if t.config.Codes == flussi.Strict && changed && err != nil {
			errs = append(errs, excel.NewCellError(header, err))
		}
	}
	doubt(recipientHeader, d.Recipient != old.Recipient, d.Recipient.Check())
	doubt(noticeHeader, d.NoticeNumber != old.NoticeNumber, d.NoticeNumber.Check())
	doubt(payeeHeader, d.Payee != old.Payee, d.Payee.Check())
	for _, text := range []struct{ header, now, old string }{
		{subjectHeader, d.Subject.Reveal(), old.Subject.Reveal()}, {contentHeader, d.Content.Reveal(), old.Content.Reveal()},
		{referenceHeader, d.Reference, old.Reference}, {occasionHeader, d.Occasion, old.Occasion},
	} {
		if err := excel.CheckCharacters(text.now); err != nil && text.now != text.old {
			errs = append(errs, excel.NewCellError(text.header, err))
		}
	}
	return errors.Join(errs...)
}

// apply makes a correction. A refusal is reported at its row; the error is a failure.
func (a *correcting) apply(ctx context.Context, c correction) error {
	var err error
	if c.edit {
		_, err = a.service.EditNotification(ctx, a.by, c.now.ID, c.now.Version, c.draft)
	}
	if err == nil {
		_, err = a.service.RegisterNotification(ctx, a.by, c.now.ID)
	}
	switch {
	case err == nil && c.corrected:
		a.report.Corrected++
	case err == nil:
		a.report.SetBack++
	case isRefusal(err):
		a.refuse(c.row, err)
	default:
		return err
	}
	return nil
}

// isRefusal reports whether an error of the service is about the notification, and not
// about what the service works with. A [flussi.ErrCommitUnknown] is no refusal.
func isRefusal(err error) bool {
	for _, refusal := range []error{flussi.ErrNotFound, flussi.ErrConflict, flussi.ErrForbidden, flussi.ErrDuplicate, flussi.ErrState, flussi.ErrInvalid} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

// hasOption reports whether the file has the column of an option.
func (a *correcting) hasOption(o option[exported]) bool {
	return slices.Contains(a.template.config.Options, o.group) && !slices.Contains(a.report.File.Missing, o.header)
}

// mergeDraft returns the stored draft with the corrections of a row, and the headers of the columns
// that differ. Options without a column stay as they are. Spreadsheets and their formats change
// white space, so texts that differ by that alone are the same. Due dates are compared to the
// second, occasions by [flow.SameOccasion].
func mergeDraft(now flow.Draft, row entry, hasOption func(option[exported]) bool) (merged flow.Draft, changed []string) {
	d := row.draft()
	if sameWords(d.Subject.Reveal(), now.Subject.Reveal()) {
		d.Subject = now.Subject
	}
	if sameWords(d.Content.Reveal(), now.Content.Reveal()) {
		d.Content = now.Content
	}
	if sameWords(d.Reference, now.Reference) {
		d.Reference = now.Reference
	}
	if flow.SameOccasion(d.Occasion, now.Occasion) {
		d.Occasion = now.Occasion
	}
	if d.DueDate.Equal(now.DueDate.Truncate(time.Second)) {
		d.DueDate = now.DueDate
	}
	if !d.IsPayment && !now.IsPayment && !d.PayableAfterDue {
		d.PayableAfterDue = now.PayableAfterDue // which is not exported, since it means nothing
	}
	for _, field := range []struct {
		header string
		same   bool
	}{
		{recipientHeader, d.Recipient == now.Recipient}, {subjectHeader, d.Subject == now.Subject}, {contentHeader, d.Content == now.Content},
		{dueHeader, d.DueDate.Equal(now.DueDate)}, {amountHeader, d.Amount == now.Amount}, {noticeHeader, d.NoticeNumber == now.NoticeNumber},
		{payeeHeader, d.Payee == now.Payee}, {lateHeader, d.PayableAfterDue == now.PayableAfterDue}, {referenceHeader, d.Reference == now.Reference},
		{occasionHeader, d.Occasion == now.Occasion},
	} {
		if !field.same {
			changed = append(changed, field.header)
		}
	}
	for _, o := range exportedOptions() {
		switch {
		case !hasOption(o):
			o.copy(&d.Options, &now.Options)
		case !o.keep(&d.Options, &now.Options):
			changed = append(changed, o.header)
		}
	}
	return d, changed
}

// sameWords reports whether texts differ only in white space, invisible characters, and
// characters that XML does not permit. Spreadsheets change these.
func sameWords(a, b string) bool {
	return a == b || flow.NormalizeText(inXML(a)) == flow.NormalizeText(inXML(b))
}

// inXML returns a text without the characters that XML does not permit, and without their
// replacement character.
func inXML(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '\uFFFD' && r <= '\uFFFF' {
			return -1
		}
		return r
	}, s)
}
