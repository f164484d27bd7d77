package flow_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

// newRemoteStore returns a store in another process, behind serveStore: what processes that share a
// database have. It has its own connections. SaveImport is not possible: its callbacks cannot be
// called from another process.
func newRemoteStore(url string, timeout time.Duration) flow.Store {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: timeout}
	return proxy(func(ctx context.Context, call storeCall) (reply storeReply, err error) {
		if call.Method == "SaveImport" || call.Method == "ImportResult" {
			return reply, errors.ErrUnsupported
		}
		if call.Rows != nil {
			if call.Changes, err = pull(call.Rows); err != nil {
				return reply, err
			}
		}
		body, err := json.Marshal(call)
		if err != nil {
			return reply, err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/"+call.Method, bytes.NewReader(body))
		if err != nil {
			return reply, err
		}
		response, err := client.Do(request)
		if err != nil {
			return reply, err
		}
		defer func() { _ = response.Body.Close() }()
		if err := json.NewDecoder(response.Body).Decode(&reply); err != nil {
			return reply, fmt.Errorf("store: %s: %w", call.Method, err)
		}
		switch target := storeErrors[reply.Kind]; {
		case target != nil:
			return reply, fmt.Errorf("%s: %w", reply.Error, target)
		case reply.Error != "":
			return reply, errors.New(reply.Error)
		}
		return reply, nil
	})
}

// storeErrors are the errors that callers ask for with errors.Is.
var storeErrors = map[string]error{
	"conflict": flussi.ErrConflict, "not found": flussi.ErrNotFound, "cancelled": context.Canceled, "deadline": context.DeadlineExceeded,
}

// serveStore makes a store reachable for stores of newRemoteStore.
func serveStore(store flow.Store) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call storeCall
		var reply storeReply
		err := json.NewDecoder(r.Body).Decode(&call)
		if err == nil {
			call.Method = path.Base(r.URL.Path)
			call.Rows = func(yield func(flow.NotificationChange, error) bool) {
				for _, change := range call.Changes {
					if !yield(change, nil) {
						return
					}
				}
			}
			reply, err = perform(r.Context(), store, call)
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
