package flow_test

import (
	"context"
	"errors"
	"iter"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// storeCall is a call of a store's method with its arguments.
type storeCall struct {
	Method             string                    `json:"-"`
	ID                 uuid.UUID                 `json:",omitzero"`
	FlowFilter         flow.FlowFilter           `json:",omitzero"`
	NotificationFilter flow.NotificationFilter   `json:",omitzero"`
	Page               flow.Page                 `json:",omitzero"`
	FlowChange         flow.FlowChange           `json:",omitzero"`
	Changes            []flow.NotificationChange `json:",omitempty"`
	Claim              flow.Claim                `json:",omitzero"`
	Limit              int                       `json:",omitempty"`

	Rows   iter.Seq2[flow.NotificationChange, error] `json:"-"` // of SaveFlow
	Import flow.ImportRequest                        `json:"-"`
	Key    flow.ImportKey                            `json:"-"`
}

// storeReply is what the method returned.
type storeReply struct {
	Flow                flow.Flow                 `json:",omitzero"`
	Flows               []flow.Flow               `json:",omitempty"`
	FlowHistory         []flow.FlowRecord         `json:",omitempty"`
	Notification        flow.Notification         `json:",omitzero"`
	Notifications       []flow.Notification       `json:",omitempty"`
	NotificationHistory []flow.NotificationRecord `json:",omitempty"`
	Result              flow.ImportResult         `json:"-"`
	Before              bool                      `json:"-"`
	Error               string                    `json:",omitempty"`
	Kind                string                    `json:",omitempty"` // of the error: a key of storeErrors, or none
}

// perform makes a call of a store.
func perform(ctx context.Context, store flow.Store, call storeCall) (reply storeReply, err error) {
	switch call.Method {
	case "Flow":
		reply.Flow, err = store.Flow(ctx, call.ID)
	case "Flows":
		reply.Flows, err = store.Flows(ctx, call.FlowFilter, call.Page)
	case "FlowHistory":
		reply.FlowHistory, err = store.FlowHistory(ctx, call.ID)
	case "SaveFlow":
		err = store.SaveFlow(ctx, call.FlowChange, call.Rows)
	case "SaveImport":
		reply.Result, reply.Before, err = store.SaveImport(ctx, call.Import)
	case "ImportResult":
		reply.Result, err = store.ImportResult(ctx, call.Key)
	case "Notification":
		reply.Notification, err = store.Notification(ctx, call.ID)
	case "Notifications":
		reply.Notifications, err = store.Notifications(ctx, call.NotificationFilter, call.Page)
	case "NotificationHistory":
		reply.NotificationHistory, err = store.NotificationHistory(ctx, call.ID)
	case "SaveNotifications":
		err = store.SaveNotifications(ctx, call.Changes...)
	case "SaveAndClaim":
		reply.Flow, reply.Notifications, err = store.(flow.SaveAndClaimer).SaveAndClaim(ctx, call.Changes, call.Claim)
	case "Claim":
		reply.Flow, reply.Notifications, err = store.Claim(ctx, call.Claim)
	case "Expired":
		reply.Notifications, err = store.Expired(ctx, call.Limit)
	default:
		err = errors.New("no such method")
	}
	return reply, err
}

// proxy is a store all of whose methods are one function. It has no SaveAndClaim.
type proxy func(ctx context.Context, call storeCall) (storeReply, error)

func (p proxy) Flow(ctx context.Context, id uuid.UUID) (flow.Flow, error) {
	reply, err := p(ctx, storeCall{Method: "Flow", ID: id})
	return reply.Flow, err
}

func (p proxy) Flows(ctx context.Context, filter flow.FlowFilter, page flow.Page) ([]flow.Flow, error) {
	reply, err := p(ctx, storeCall{Method: "Flows", FlowFilter: filter, Page: page})
	return reply.Flows, err
}

func (p proxy) FlowHistory(ctx context.Context, id uuid.UUID) ([]flow.FlowRecord, error) {
	reply, err := p(ctx, storeCall{Method: "FlowHistory", ID: id})
	return reply.FlowHistory, err
}

func (p proxy) SaveFlow(ctx context.Context, change flow.FlowChange, rows iter.Seq2[flow.NotificationChange, error]) error {
	_, err := p(ctx, storeCall{Method: "SaveFlow", FlowChange: change, Rows: rows})
	return err
}

func (p proxy) SaveImport(ctx context.Context, i flow.ImportRequest) (flow.ImportResult, bool, error) {
	reply, err := p(ctx, storeCall{Method: "SaveImport", Import: i})
	return reply.Result, reply.Before, err
}

func (p proxy) ImportResult(ctx context.Context, key flow.ImportKey) (flow.ImportResult, error) {
	reply, err := p(ctx, storeCall{Method: "ImportResult", Key: key})
	return reply.Result, err
}

func (p proxy) Notification(ctx context.Context, id uuid.UUID) (flow.Notification, error) {
	reply, err := p(ctx, storeCall{Method: "Notification", ID: id})
	return reply.Notification, err
}

func (p proxy) Notifications(ctx context.Context, filter flow.NotificationFilter, page flow.Page) ([]flow.Notification, error) {
	reply, err := p(ctx, storeCall{Method: "Notifications", NotificationFilter: filter, Page: page})
	return reply.Notifications, err
}

func (p proxy) NotificationHistory(ctx context.Context, id uuid.UUID) ([]flow.NotificationRecord, error) {
	reply, err := p(ctx, storeCall{Method: "NotificationHistory", ID: id})
	return reply.NotificationHistory, err
}

func (p proxy) SaveNotifications(ctx context.Context, changes ...flow.NotificationChange) error {
	_, err := p(ctx, storeCall{Method: "SaveNotifications", Changes: changes})
	return err
}

func (p proxy) Claim(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	reply, err := p(ctx, storeCall{Method: "Claim", Claim: claim})
	return reply.Flow, reply.Notifications, err
}

func (p proxy) Expired(ctx context.Context, limit int) ([]flow.Notification, error) {
	reply, err := p(ctx, storeCall{Method: "Expired", Limit: limit})
	return reply.Notifications, err
}

// exchanging is a proxy with SaveAndClaim. What embeds it defines Self.
type exchanging struct{ proxy }

func (p exchanging) SaveAndClaim(ctx context.Context, changes []flow.NotificationChange, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	reply, err := p.proxy(ctx, storeCall{Method: "SaveAndClaim", Changes: changes, Claim: claim})
	return reply.Flow, reply.Notifications, err
}
