package flow_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"path"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

// remoteStore is a store in another process, behind serveStore: what processes that share
// a database have.
type remoteStore struct {
	url    string
	client *http.Client
}

var _ flow.Store = remoteStore{}

// SaveImport is not possible: its callbacks cannot be called from another process.
func (remoteStore) SaveImport(context.Context, flow.ImportRequest) (flow.ImportResult, bool, error) {
	return flow.ImportResult{}, false, errors.ErrUnsupported
}

// ImportResult is not there without SaveImport.
func (remoteStore) ImportResult(context.Context, flow.ImportKey) (flow.ImportResult, error) {
	return flow.ImportResult{}, errors.ErrUnsupported
}

// storeCall is a call of a store's method, which the path names, with its arguments.
type storeCall struct {
	ID                 uuid.UUID
	FlowFilter         flow.FlowFilter           `json:",omitzero"`
	NotificationFilter flow.NotificationFilter   `json:",omitzero"`
	Page               flow.Page                 `json:",omitzero"`
	FlowChange         flow.FlowChange           `json:",omitzero"`
	Changes            []flow.NotificationChange `json:",omitempty"`
	Claim              flow.Claim                `json:",omitzero"`
	Limit              int                       `json:",omitempty"`
}

// storeReply is what the method returned.
type storeReply struct {
	Flow                flow.Flow                 `json:",omitzero"`
	Flows               []flow.Flow               `json:",omitempty"`
	FlowHistory         []flow.FlowRecord         `json:",omitempty"`
	Notification        flow.Notification         `json:",omitzero"`
	Notifications       []flow.Notification       `json:",omitempty"`
	NotificationHistory []flow.NotificationRecord `json:",omitempty"`
	Error               string                    `json:",omitempty"`
	Kind                string                    `json:",omitempty"` // of the error: a key of storeErrors, or none
}

// storeErrors are the errors that callers ask for with errors.Is.
var storeErrors = map[string]error{
	"conflict": flussi.ErrConflict, "not found": flussi.ErrNotFound, "cancelled": context.Canceled, "deadline": context.DeadlineExceeded,
}

// serveStore makes a store reachable for remoteStores.
func serveStore(store flow.Store) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call storeCall
		var reply storeReply
		err := json.NewDecoder(r.Body).Decode(&call)
		if err == nil {
			reply, err = perform(r.Context(), store, path.Base(r.URL.Path), call)
		}
		if err != nil {
			reply = storeReply{Error: err.Error()}
			for kind, target := range storeErrors {
				if errors.Is(err, target) {
					reply.Kind = kind
				}
			}
		}
		_ = json.NewEncoder(w).Encode(reply)
	})
}

func perform(ctx context.Context, store flow.Store, method string, call storeCall) (reply storeReply, err error) {
	switch method {
	case "Flow":
		reply.Flow, err = store.Flow(ctx, call.ID)
	case "Flows":
		reply.Flows, err = store.Flows(ctx, call.FlowFilter, call.Page)
	case "FlowHistory":
		reply.FlowHistory, err = store.FlowHistory(ctx, call.ID)
	case "SaveFlow":
		err = store.SaveFlow(ctx, call.FlowChange, func(yield func(flow.NotificationChange, error) bool) {
			for _, change := range call.Changes {
				if !yield(change, nil) {
					return
				}
			}
		})
	case "Notification":
		reply.Notification, err = store.Notification(ctx, call.ID)
	case "Notifications":
		reply.Notifications, err = store.Notifications(ctx, call.NotificationFilter, call.Page)
	case "NotificationHistory":
		reply.NotificationHistory, err = store.NotificationHistory(ctx, call.ID)
	case "SaveNotifications":
		err = store.SaveNotifications(ctx, call.Changes...)
	case "Claim":
		reply.Flow, reply.Notifications, err = store.Claim(ctx, call.Claim)
	case "Expired":
		reply.Notifications, err = store.Expired(ctx, call.Limit)
	default:
		err = errors.New("no such method")
	}
	return reply, err
}

func (s remoteStore) call(ctx context.Context, method string, call storeCall) (reply storeReply, err error) {
	body, err := json.Marshal(call)
	if err != nil {
		return reply, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/"+method, bytes.NewReader(body))
	if err != nil {
		return reply, err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return reply, err
	}
	defer func() { _ = response.Body.Close() }()
	if err := json.NewDecoder(response.Body).Decode(&reply); err != nil {
		return reply, fmt.Errorf("store: %s: %w", method, err)
	}
	switch target := storeErrors[reply.Kind]; {
	case target != nil:
		return reply, fmt.Errorf("%s: %w", reply.Error, target)
	case reply.Error != "":
		return reply, errors.New(reply.Error)
	}
	return reply, nil
}

func (s remoteStore) Flow(ctx context.Context, id uuid.UUID) (flow.Flow, error) {
	reply, err := s.call(ctx, "Flow", storeCall{ID: id})
	return reply.Flow, err
}

func (s remoteStore) Flows(ctx context.Context, filter flow.FlowFilter, page flow.Page) ([]flow.Flow, error) {
	reply, err := s.call(ctx, "Flows", storeCall{FlowFilter: filter, Page: page})
	return reply.Flows, err
}

func (s remoteStore) FlowHistory(ctx context.Context, id uuid.UUID) ([]flow.FlowRecord, error) {
	reply, err := s.call(ctx, "FlowHistory", storeCall{ID: id})
	return reply.FlowHistory, err
}

func (s remoteStore) SaveFlow(ctx context.Context, change flow.FlowChange, notifications iter.Seq2[flow.NotificationChange, error]) error {
	call := storeCall{FlowChange: change}
	if notifications != nil {
		for n, err := range notifications {
			if err != nil {
				return err
			}
			call.Changes = append(call.Changes, n)
		}
	}
	_, err := s.call(ctx, "SaveFlow", call)
	return err
}

func (s remoteStore) Notification(ctx context.Context, id uuid.UUID) (flow.Notification, error) {
	reply, err := s.call(ctx, "Notification", storeCall{ID: id})
	return reply.Notification, err
}

func (s remoteStore) Notifications(ctx context.Context, filter flow.NotificationFilter, page flow.Page) ([]flow.Notification, error) {
	reply, err := s.call(ctx, "Notifications", storeCall{NotificationFilter: filter, Page: page})
	return reply.Notifications, err
}

func (s remoteStore) NotificationHistory(ctx context.Context, id uuid.UUID) ([]flow.NotificationRecord, error) {
	reply, err := s.call(ctx, "NotificationHistory", storeCall{ID: id})
	return reply.NotificationHistory, err
}

func (s remoteStore) SaveNotifications(ctx context.Context, changes ...flow.NotificationChange) error {
	_, err := s.call(ctx, "SaveNotifications", storeCall{Changes: changes})
	return err
}

func (s remoteStore) Claim(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	reply, err := s.call(ctx, "Claim", storeCall{Claim: claim})
	return reply.Flow, reply.Notifications, err
}

func (s remoteStore) Expired(ctx context.Context, limit int) ([]flow.Notification, error) {
	reply, err := s.call(ctx, "Expired", storeCall{Limit: limit})
	return reply.Notifications, err
}

// newRemoteStore returns a store that has its own connections.
func newRemoteStore(url string, timeout time.Duration) remoteStore {
	return remoteStore{url, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: timeout}}
}
