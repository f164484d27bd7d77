package pagoinrete_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/authtest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
)

// stage is a world whose methods are called on a scene.
type stage struct {
	*pagoinrete.Service
	*scene
}

func TestEveryCallAsksWhoMakesIt(t *testing.T) {
	everyRole := []flussi.Role{flussi.AdminAssistant, flussi.AdminDirector, flussi.Principal, flussi.System, flussi.Operator}
	all := map[string]authtest.Call[stage]{}
	for name, c := range calls() {
		by := or(c.by, director)
		refused := []flussi.Actor{{ID: by.ID}, {ID: by.ID, Roles: []flussi.Role{flussi.Operator}}}
		switch c.by.ID {
		case "":
			refused = nil // whoever works for the school may
		case assistant.ID:
			refused = append(refused, principal)
		case principal.ID:
			refused = append(refused, assistant, director)
		}
		all[name] = authtest.Call[stage]{
			Names: c.names, By: by, Refused: refused, Changes: c.changes, Remote: len(c.remote) > 0,
			Do: func(ctx context.Context, on stage, by flussi.Actor) (any, error) {
				return c.do(setting{ctx, on.Service, on.scene, by})
			},
		}
	}
	authtest.Service[stage]{
		Type: reflect.TypeFor[*pagoinrete.Service](), Calls: all, Secret: school, Forbidden: "L'utente non è abilitato alla scuola: rivolgersi a chi assegna le abilitazioni.",
		Strangers: []flussi.Actor{{ID: system.ID + "2", Roles: everyRole}, {ID: "estraneo", Roles: everyRole}},
		New: func(t *testing.T) authtest.Scene[stage] {
			w := newWorld(t)
			s := sceneOf(t, w)
			return authtest.Scene[stage]{
				On: stage{w.Service, s}, Missing: stage{w.Service, s.missing()},
				Failing: func(authorizer, fault error) stage {
					store := &faultyStore{Store: w.store, wrong: func(bool) error { return fault }}
					if fault != nil {
						store.at = 1
					}
					p := must.Get(pagoinrete.NewService(store, failingAuthorizer{authorizer},
						func(context.Context, string) (pagoinrete.Gateway, error) { return w.gateway, nil }, pagoinrete.ServiceConfig{}))(t)
					return stage{p, s}
				},
				Stored: func() any { return everything(t, w) },
				Asked:  func() any { return w.received() },
			}
		},
	}.Run(t)
}

// failingAuthorizer names schools, and fails nevertheless if it has an error.
type failingAuthorizer struct{ err error }

func (a failingAuthorizer) Schools(context.Context, flussi.Actor) ([]string, error) {
	return []string{school, otherSchool}, a.err
}
