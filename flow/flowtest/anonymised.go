package flowtest

import (
	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/core"
)

var anonymisedRules = []rule{
	{"anonymising erases the answers of the earlier records, and nothing else of them", anonymisingErasesAnswers},
	{"anonymising a flow erases the answers of its own earlier records", anonymisingFlowsErasesAnswers},
	{"anonymising hundreds erases the answers of all", anonymisingHundreds},
	{"anonymising that is refused erases nothing", refusedAnonymisingErasesNothing},
}

// told stores some versions of a notification. No field of their records is zero. It returns the
// notification as it is stored then, and the records.
func (p *probe) told(n flow.Notification, versions int) (flow.Notification, []flow.NotificationRecord) {
	var records []flow.NotificationRecord
	for range versions {
		c := notificationChange(n)
		p.Fill(&c.Record, false)
		p.Must(p.store.SaveNotifications(p.Ctx, c), "SaveNotifications")
		records = append(records, c.Record)
		n.Version++
	}
	return n, records
}

// toldFlow does the same as told for a flow.
func (p *probe) toldFlow(f flow.Flow, versions int) (flow.Flow, []flow.FlowRecord) {
	var records []flow.FlowRecord
	for range versions {
		c := flowChange(f)
		p.Fill(&c.Record, false)
		p.Must(p.store.SaveFlow(p.Ctx, c, nil), "SaveFlow")
		records = append(records, c.Record)
		f.Version++
	}
	return f, records
}

// anonymising returns the change that anonymises a notification. Its record has an answer, too.
func (p *probe) anonymising(n flow.Notification) flow.NotificationChange {
	c := notificationChange(n)
	p.Fill(&c.Record, false)
	c.Record.Action = flow.NotificationAnonymise
	return c
}

// silent returns records without their answers.
func silent[S, A ~string](records []flow.Record[S, A]) []flow.Record[S, A] {
	for i := range records {
		records[i].Answer = flussi.Text{}
	}
	return records
}

// changeWay is a method that stores changes of notifications.
type changeWay struct {
	name  string
	store func(...flow.NotificationChange) error
}

func (p *probe) changeWays() []changeWay {
	f := p.saveFlow(p.newFlow())
	ways := []changeWay{
		{"SaveNotifications", func(all ...flow.NotificationChange) error { return p.store.SaveNotifications(p.Ctx, all...) }},
		{"SaveFlow", func(all ...flow.NotificationChange) error {
			return p.store.SaveFlow(p.Ctx, flowChange(p.flows.One(f.ID)), func(yield func(flow.NotificationChange, error) bool) {
				for _, c := range all {
					if !yield(c, nil) {
						return
					}
				}
			})
		}},
	}
	if s, can := core.Own[flow.Store, flow.SaveAndClaimer](p.store); can {
		ways = append(ways, changeWay{"SaveAndClaim", func(all ...flow.NotificationChange) error {
			_, _, err := s.SaveAndClaim(p.Ctx, all, flow.Claim{Flow: f.ID, At: p.Now(), By: "dispatcher"})
			return err
		}})
	}
	return ways
}

func anonymisingErasesAnswers(p *probe) {
	for _, way := range p.changeWays() {
		f, flowRecords := p.toldFlow(p.newFlow(), 2)
		n, records := p.told(p.newNotification(f.ID), 4)
		other, others := p.told(p.newNotification(f.ID), 3)
		// Anonymising again erases what was recorded in between.
		for range 2 {
			c := p.anonymising(n)
			p.Must(way.store(c), way.name)
			records = append(silent(records), c.Record)
			n.Version++
			p.hasNotificationRecords(n.ID, records...)
			p.hasNotificationRecords(other.ID, others...)
			p.hasFlowRecords(f.ID, flowRecords...)
			var later []flow.NotificationRecord
			n, later = p.told(n, 1)
			records = append(records, later...)
			p.hasNotificationRecords(n.ID, records...)
		}
	}
}

func anonymisingFlowsErasesAnswers(p *probe) {
	f, records := p.toldFlow(p.newFlow(), 4)
	other, others := p.toldFlow(p.newFlow(), 3)
	n, rows := p.told(p.newNotification(f.ID), 2)
	for _, with := range [][]flow.Notification{nil, {p.newNotification(f.ID)}} {
		c := flowChange(f)
		p.Fill(&c.Record, false)
		c.Record.Action = flow.FlowAnonymise
		p.Must(p.store.SaveFlow(p.Ctx, c, p.sequence(with...)), "SaveFlow")
		records = append(silent(records), c.Record)
		f.Version++
		p.hasFlowRecords(f.ID, records...)
		p.hasFlowRecords(other.ID, others...)
		p.hasNotificationRecords(n.ID, rows...)
	}
}

func anonymisingHundreds(p *probe) {
	const count = 1001
	created := p.newNotifications(p.saveFlow(p.newFlow()).ID, count)
	changes := make([]flow.NotificationChange, count)
	for i, n := range created {
		changes[i] = notificationChange(n)
		changes[i].Record.Answer = flussi.NewText(p.Word())
	}
	p.Must(p.store.SaveNotifications(p.Ctx, changes...), "SaveNotifications")
	next := make([]flow.NotificationChange, count)
	for i, n := range created {
		n.Version = 1
		next[i] = p.anonymising(n)
	}
	p.Must(p.store.SaveNotifications(p.Ctx, next...), "SaveNotifications")
	for i, n := range created {
		changes[i].Record.Answer = flussi.Text{}
		p.hasNotificationRecords(n.ID, changes[i].Record, next[i].Record)
	}
}

func refusedAnonymisingErasesNothing(p *probe) {
	for _, way := range p.changeWays() {
		n, _ := p.told(p.newNotification(p.saveFlow(p.newFlow()).ID), 2)
		other, _ := p.told(p.newNotification(n.FlowID), 2)
		other.Version--
		before := p.Snapshot()
		p.Wants(flussi.ErrConflict, way.store(p.anonymising(n), p.anonymising(other)), way.name+" with a stale version")
		p.Unchanged(before, way.name+" with a stale version")
	}
}
