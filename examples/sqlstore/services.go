package sqlstore

import (
	"context"
	"sync"

	"github.com/flussi-go/flussi/flow"
)

// services remembers names of services that are in the database, where they stay.
type services struct {
	mu    sync.Mutex
	known map[string]struct{}
}

func (s *services) has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.known[name]
	return known
}

func (s *services) add(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]struct{}{}
	}
	s.known[name] = struct{}{}
}

// useService notes that something new is of a service. It refuses the first use of a name that looks
// like that of another service.
func (t *tx) useService(ctx context.Context, name string) error {
	if t.services.has(name) {
		return nil
	}
	if _, noted := t.noted[name]; noted {
		return nil
	}
	look := flow.ServiceLook(name)
	there, _, err := t.service(ctx, name, look)
	if err != nil {
		return err
	}
	if there {
		t.services.add(name)
		return nil
	}
	if err := t.alone(ctx, t); err != nil { // two names of one look may come at the same moment
		return err
	}
	there, other, err := t.service(ctx, name, look)
	if err != nil {
		return err
	}
	switch {
	case there:
	case other != "":
		return &flow.SimilarServiceError{Service: name, Existing: other}
	default:
		if _, err := t.exec(ctx, "INSERT INTO services (name, look) VALUES (?, ?)", held(name), held(look)); err != nil {
			return err
		}
	}
	if t.noted == nil {
		t.noted = map[string]struct{}{}
	}
	t.noted[name] = struct{}{}
	return nil
}

// service reports whether there is a service of a name, and returns another one that looks like it.
func (t *tx) service(ctx context.Context, name, look string) (there bool, other string, err error) {
	var found string
	err = t.query(ctx, "SELECT name FROM services WHERE look = ? ORDER BY name", []any{held(look)}, []any{wordTo(&found)}, func() {
		if found == name {
			there = true
		} else {
			other = found
		}
	})
	return there, other, err
}

// noteServices notes the services that there were before there was a table of them.
func (t *tx) noteServices(ctx context.Context) error {
	var name string
	var names []string
	err := t.query(ctx, "SELECT service FROM flows UNION SELECT service FROM notifications", nil, []any{wordTo(&name)}, func() { names = append(names, name) })
	for _, name := range names {
		if err == nil {
			_, err = t.exec(ctx, "INSERT INTO services (name, look) VALUES (?, ?) ON CONFLICT DO NOTHING", held(name), held(flow.ServiceLook(name)))
		}
	}
	return err
}
