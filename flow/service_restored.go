package flow

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/internal/italian"
)

// RestoredReport says which flows [Service.DeclareRestored] disabled.
type RestoredReport struct {
	CopiedAt time.Time // when the copy was made, as the caller said
	// Flows are the flows that are disabled because of this copy, the oldest first. They include
	// those of an earlier call that ended early. An operator decides about each: see
	// [Service.DeclareRestored].
	Flows []RestoredFlow
}

// RestoredFlow is a flow whose notifications may have been sent after the copy was made.
type RestoredFlow struct {
	ID      uuid.UUID // of the flow
	Service string    // Servizio
	Counts  Counts    // Pending of them may have been sent
}

// Italian says what was done, and what to do with each of the flows.
func (r RestoredReport) Italian() string {
	text := "L'archivio è stato ripristinato da una copia del " + italian.Day(r.CopiedAt) + "."
	if len(r.Flows) == 0 {
		return text + " Nessun flusso abilitato aveva notifiche da inviare: non c'è niente da decidere."
	}
	pending := 0
	for _, f := range r.Flows {
		pending += f.Counts.Pending()
	}
	n := len(r.Flows)
	return text + fmt.Sprintf(" %s, con %s da inviare, %s %s: i messaggi possono essere già partiti dopo la copia. "+
		"Decidere per ogni flusso intero. Se i suoi messaggi non sono partiti: %s. Altrimenti lasciarlo disabilitato.",
		italian.Flow.Count(n), italian.Notification.Count(pending),
		italian.Choose(n, "è", "sono"), italian.Flow.Agree(n, "disabilitat"), enableAndSend())
}

// enableAndSend names the actions that send a disabled flow.
func enableAndSend() string {
	return italian.Quote(FlowEnable.Label()) + ", poi " + italian.Quote(FlowSend.Label())
}

// restoredReason is the reason in the records of the flows that are disabled because of a copy.
func restoredReason(copied time.Time) string {
	return "L'archivio è stato ripristinato da una copia del " + italian.Day(copied) +
		": i messaggi da inviare possono essere già partiti. Se non sono partiti: " + enableAndSend() +
		". Altrimenti lasciare il flusso disabilitato."
}

// DeclareRestored disables the flows whose messages may have been sent although the store holds
// them as to be sent. Call it when the database was restored from a copy, or lost its last writes.
// The argument copied is the time of the copy, or the time since which writes are lost. Zero, and a
// time in the future, are refused with [flussi.ErrRange].
//
// It disables (Dis.) each flow, of any service and in any state, that has notifications Registrato
// or In invio, with a record that says why. Then, if the store is a [RestorableStore], it allows
// the store to send again. An operator decides about each flow as a whole: [Service.EnableFlow] and
// [Service.SendFlow] if it was not sent after the copy; otherwise it stays disabled.
//
// The error is a [flussi.ErrForbidden], and nothing is changed, if one of these flows is of a
// service that the actor is not enabled for, or if the actor is enabled for none. Flows are
// disabled one by one. After an error, some may be disabled; the same call continues. Stop the
// dispatchers before, and start them afterwards.
func (s *Service) DeclareRestored(ctx context.Context, by flussi.Actor, copied time.Time) (RestoredReport, error) {
	const op = "declare restored"
	services, err := s.access.Scopes(ctx, by)
	if err == nil && len(services) == 0 {
		err = flussi.ErrForbidden
	}
	if err == nil && !by.Has(flussi.Operator) {
		err = refuse(fsm.ErrRole, "%s", italian.Reserved("L'operazione", []string{flussi.Operator.Label()}))
	}
	if err == nil && (copied.IsZero() || copied.After(time.Now())) {
		err = &flussi.ValueError{Type: "CopiedAt", Err: flussi.ErrRange, Reason: "Indicare quando è stata fatta la copia: la data deve essere nel passato."}
	}
	var report RestoredReport
	var toDisable []uuid.UUID
	if err == nil {
		report, toDisable, err = s.restoredFlows(ctx, services, copied)
	}
	if err != nil {
		return RestoredReport{}, failure(op, err)
	}
	for _, id := range toDisable {
		if err := s.disableRestored(ctx, by, id, copied); err != nil {
			return report, flowFailure(op, id, err)
		}
	}
	if store, can := core.Own[Store, RestorableStore](s.given); can {
		err = store.AcceptRestored(ctx)
	}
	return report, failure(op, err)
}

// restoredFlows returns the report of a copy, and the flows in it that are not disabled yet.
func (s *Service) restoredFlows(ctx context.Context, services []string, copied time.Time) (RestoredReport, []uuid.UUID, error) {
	report := RestoredReport{CopiedAt: copied}
	var toDisable []uuid.UUID
	pages := core.Pages(ctx, MaxPage, func(ctx context.Context, page Page) ([]Flow, error) {
		return s.store.Flows(ctx, FlowFilter{}, page)
	})
	for f, err := range core.Each(pages) {
		if err != nil {
			return RestoredReport{}, nil, err
		}
		if f.Counts.Pending() == 0 {
			continue
		}
		_, enabled := slices.BinarySearch(services, f.Service)
		switch {
		case !f.Disabled && !enabled:
			return RestoredReport{}, nil, flussi.ErrForbidden
		case !f.Disabled:
			toDisable = append(toDisable, f.ID)
		case !enabled:
			continue
		default:
			byCopy, err := s.disabledByCopy(ctx, f.ID, copied)
			if err != nil {
				return RestoredReport{}, nil, err
			}
			if !byCopy {
				continue
			}
		}
		report.Flows = append(report.Flows, RestoredFlow{ID: f.ID, Service: f.Service, Counts: f.Counts})
	}
	return report, toDisable, nil
}

// disabledByCopy reports whether a flow was last disabled because of this copy.
func (s *Service) disabledByCopy(ctx context.Context, id uuid.UUID, copied time.Time) (bool, error) {
	history, err := s.store.FlowHistory(ctx, id)
	for _, r := range slices.Backward(history) {
		if r.Action == FlowDisable {
			return r.Reason.Reveal() == restoredReason(copied), err
		}
	}
	return false, err
}

// disableRestored disables a flow because of the copy, if it still has notifications to be sent.
func (s *Service) disableRestored(ctx context.Context, by flussi.Actor, id uuid.UUID, copied time.Time) error {
	for tries := (core.Tries{}); ; {
		f, err := s.store.Flow(ctx, id)
		if err != nil || f.Disabled || f.Counts.Pending() == 0 {
			return err
		}
		if err := f.Fire(ctx, FlowDisable, by); err != nil {
			return err
		}
		f.Disabled = true
		err = s.store.SaveFlow(ctx, f.change(FlowDisable, f.State, by.ID, restoredReason(copied)), nil)
		if err == nil {
			return nil
		}
		if err := tries.Again(ctx, err); err != nil {
			return err
		}
	}
}
