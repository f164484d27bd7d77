package flowtest_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

const eraseRule = "anonymising erases the answers of the earlier records, and nothing else of them"

// remembers makes a store that returns the answers with which records were stored, if still reports
// true.
func remembers(still func(records []flow.NotificationRecord, i int) bool) func(flow.Store) flow.Store {
	return func(s flow.Store) flow.Store {
		var mu sync.Mutex
		answers := map[uuid.UUID]map[int64]flussi.Text{}
		s = viewed.WrittenChildren(func(c *notificationChange, old flow.Notification) {
			mu.Lock()
			defer mu.Unlock()
			if answers[c.Entity.ID] == nil {
				answers[c.Entity.ID] = map[int64]flussi.Text{}
			}
			answers[c.Entity.ID][old.Version+1] = c.Record.Answer
		})(s)
		return returns("NotificationHistory", func(c call, r *reply) {
			mu.Lock()
			defer mu.Unlock()
			for i := range r.records {
				if still(r.records, i) {
					r.records[i].Answer = answers[c.id][r.records[i].Version]
				}
			}
		})(s)
	}
}

// anonymisedAfter reports whether a record was followed by one of anonymising.
func anonymisedAfter(records []flow.NotificationRecord, i int) bool {
	return slices.ContainsFunc(records[i+1:], isAnonymising)
}

func isAnonymising(r flow.NotificationRecord) bool { return r.Action == flow.NotificationAnonymise }

// spoils makes a store that changes the records in histories.
func spoils(which func(records []flow.NotificationRecord, i int) bool, spoil func(r *flow.NotificationRecord)) func(flow.Store) flow.Store {
	return returns("NotificationHistory", func(_ call, r *reply) {
		for i := range r.records {
			if which(r.records, i) {
				spoil(&r.records[i])
			}
		}
	})
}

// forgets makes a store that returns no answers of the notifications for which after reports true,
// once SaveNotifications stored them.
func forgets(after func(c flow.NotificationChange, err error) bool, all bool) func(flow.Store) flow.Store {
	return func(s flow.Store) flow.Store {
		var mu sync.Mutex
		forgotten := map[uuid.UUID]bool{}
		s = returns("SaveNotifications", func(c call, r *reply) {
			mu.Lock()
			defer mu.Unlock()
			for _, change := range c.changes {
				if after(change, r.err) {
					forgotten[change.Notification.ID] = true
				}
			}
		})(s)
		return returns("NotificationHistory", func(c call, r *reply) {
			mu.Lock()
			defer mu.Unlock()
			for i := range r.records {
				if forgotten[c.id] || all && len(forgotten) > 0 {
					r.records[i].Answer = flussi.Text{}
				}
			}
		})(s)
	}
}

// tellingFlows is a store that erases no answers of flows.
type tellingFlows struct {
	flow.Store
	mu      sync.Mutex
	answers map[uuid.UUID][]flussi.Text
}

func (s *tellingFlows) SaveFlow(ctx context.Context, c flow.FlowChange, rows iter.Seq2[flow.NotificationChange, error]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.Store.SaveFlow(ctx, c, rows)
	if err == nil {
		s.answers[c.Flow.ID] = append(s.answers[c.Flow.ID], c.Record.Answer)
	}
	return err
}

func (s *tellingFlows) FlowHistory(ctx context.Context, id uuid.UUID) ([]flow.FlowRecord, error) {
	records, err := s.Store.FlowHistory(ctx, id)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range records {
		records[i].Answer = s.answers[id][i]
	}
	return records, err
}

var anonymisedBreakers = []breaker{
	{"anonymising erases no answer", eraseRule, remembers(anonymisedAfter)},
	{"anonymising erases only the last answer", eraseRule, remembers(func(records []flow.NotificationRecord, i int) bool {
		return anonymisedAfter(records, i) && !isAnonymising(records[i+1])
	})},
	{"anonymising erases only the answers since the last time", eraseRule, remembers(func(records []flow.NotificationRecord, i int) bool {
		next := slices.IndexFunc(records[i+1:], isAnonymising)
		return isAnonymising(records[i]) && next >= 0
	})},
	{"anonymising erases the reasons", eraseRule, spoils(anonymisedAfter, func(r *flow.NotificationRecord) { r.Reason = flussi.Text{} })},
	{"anonymising erases who it was", eraseRule, spoils(anonymisedAfter, func(r *flow.NotificationRecord) { r.By = "" })},
	{"anonymising erases its own answer", eraseRule, spoils(func(records []flow.NotificationRecord, i int) bool { return isAnonymising(records[i]) },
		func(r *flow.NotificationRecord) { r.Answer = flussi.Text{} })},
	{"anonymising erases the answers of all", eraseRule, forgets(func(c flow.NotificationChange, err error) bool {
		return err == nil && isAnonymising(c.Record)
	}, true)},
	{"anonymising a flow erases no answer", "anonymising a flow erases the answers of its own earlier records",
		func(s flow.Store) flow.Store { return &tellingFlows{Store: s, answers: map[uuid.UUID][]flussi.Text{}} }},
	{"anonymising erases the answers of 500", "anonymising hundreds erases the answers of all",
		func(s flow.Store) flow.Store {
			seen := 0
			return returns("NotificationHistory", func(_ call, r *reply) {
				if len(r.records) != 2 || !isAnonymising(r.records[1]) {
					return
				}
				if seen++; seen > 500 {
					r.records[0].Answer = flussi.NewText("Bad Request")
				}
			})(s)
		}},
	{"anonymising erases, and is then refused", "anonymising that is refused erases nothing", forgets(func(c flow.NotificationChange, err error) bool {
		return errors.Is(err, flussi.ErrConflict) && isAnonymising(c.Record)
	}, false)},
}
