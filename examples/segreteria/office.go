package main

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/noticeexcel"
	"github.com/flussi-go/flussi/pagoinrete/noticeflow"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

const (
	school     = "RMIC8GA002" // codice meccanografico
	schoolName = "IC Via Verdi"
	schoolKey  = "credenziale-di-prova"
	appService = "scuola" // of App IO
	appKey     = "chiave-di-prova"
)

// schoolBody is the fiscal code by which settlements and journals name the school.
var schoolBody, _ = flussi.ParseOrganizationCode("80185250588") // cannot fail: it has the form

// Who works for the school, and somebody who works for another.
var (
	assistant = flussi.Actor{ID: "m.conti", Roles: []flussi.Role{flussi.AdminAssistant, flussi.Operator}}
	director  = flussi.Actor{ID: "l.ferri", Roles: []flussi.Role{flussi.AdminDirector}}
	principal = flussi.Actor{ID: "p.marini", Roles: []flussi.Role{flussi.Principal}}
	stranger  = flussi.Actor{ID: "a.sala", Roles: []flussi.Role{flussi.AdminAssistant}}
)

// office is what a program for schools has: a database, the two platforms, and the library's
// services on them.
type office struct {
	*pagoinrete.Service
	folder     string
	store      *sqlite.Store
	pagoInRete *restgatewaytest.Server // instead of the real one
	appIO      *appiotest.Server       // instead of the real one
	service    *flow.Service
	dispatcher *flow.Dispatcher
	files      *settlement.Service
	template   *noticeexcel.Template
	messages   *noticeflow.Messages
}

// openOffice opens an office on an empty folder. Close it.
func openOffice(ctx context.Context, folder string) (*office, error) {
	store, err := sqlite.Open(ctx, filepath.Join(folder, "segreteria.db"), sqlite.Config{})
	if err != nil {
		return nil, err
	}
	o := &office{
		folder: folder, store: store,
		pagoInRete: restgatewaytest.NewServer(restgatewaytest.Config{}), appIO: appiotest.NewServer(appiotest.Config{Unlimited: true}),
	}
	if err := errors.Join(o.takePayments(), o.sendMessages()); err != nil {
		return nil, errors.Join(err, o.close())
	}
	return o, nil
}

func (o *office) close() error {
	o.pagoInRete.Close()
	o.appIO.Close()
	return o.store.Close()
}

// takePayments sets up what works with Pago In Rete.
func (o *office) takePayments() error {
	o.pagoInRete.AddSchool(restgatewaytest.School{Code: school, Key: schoolKey, Name: schoolName})
	gateway, err := schoolGateway(o.pagoInRete.URL)
	if err != nil {
		return err
	}
	gateways := func(context.Context, string) (pagoinrete.Gateway, error) { return gateway, nil } // there is one school
	permissions := pagoinrete.Permissions{assistant.ID: {school}, director.ID: {school}, principal.ID: {school}, stranger.ID: {"MIIC8AB00X"}}
	if o.Service, err = pagoinrete.NewService(o.store, permissions, gateways, pagoinrete.ServiceConfig{}); err != nil {
		return err
	}
	if o.files, err = paymentFiles(o.Service, o.store); err != nil {
		return err
	}
	o.template, err = noticeexcel.New(noticeexcel.Config{})
	return err
}

// chapters are the items of the school's budget (aggregato/voce) by the category of an event.
var chapters = map[string]string{"Visite e viaggi": "06/04"}

// schoolDues returns the notices as what is due to the school, and for what.
func schoolDues(notices *pagoinrete.Service) (*pagoinrete.Dues, error) {
	return pagoinrete.NewDues(notices, pagoinrete.DuesConfig{
		By:      assistant,
		Chapter: func(e pagoinrete.Event) string { return chapters[e.Category] },
		School: func(_ context.Context, body flussi.OrganizationCode) (string, error) {
			if body == schoolBody {
				return school, nil
			}
			return "", nil
		},
	})
}

// paymentFiles returns what applies settlements and journals to the notices of the school.
func paymentFiles(notices *pagoinrete.Service, store settlement.Store) (*settlement.Service, error) {
	dues, err := schoolDues(notices)
	if err != nil {
		return nil, err
	}
	bodies := []flussi.OrganizationCode{schoolBody}
	return settlement.NewService(store, settlement.Permissions{assistant.ID: bodies, director.ID: bodies}, dues)
}

// schoolGateway returns a client of Pago In Rete for the school.
func schoolGateway(url string) (*restgateway.Client, error) {
	key, err := flussi.ParseKey(schoolKey)
	if err != nil {
		return nil, err
	}
	return restgateway.New(key, school, restgateway.Config{BaseURL: url, Calls: 100_000}) // a simulator has no limit
}

// sendMessages sets up what works with App IO, on the same database.
func (o *office) sendMessages() error {
	o.appIO.AddService(appiotest.Service{ID: appService, Key: appKey})
	key, err := flussi.ParseKey(appKey)
	if err != nil {
		return err
	}
	client, err := appio.New(key, appio.Config{BaseURL: o.appIO.URL})
	if err != nil {
		return err
	}
	messengers := func(context.Context, string) (flow.Sender, error) { return client, nil }
	if o.service, err = flow.NewService(o.store, flow.Permissions{assistant.ID: {appService}}, messengers, flow.ServiceConfig{}); err != nil {
		return err
	}
	if o.dispatcher, err = flow.NewDispatcher(o.store, messengers, flow.DispatcherConfig{CheckProfiles: true}); err != nil {
		return err
	}
	o.messages, err = noticeflow.New(o.Service, o.service, noticeflow.Config{School: schoolName})
	return err
}

// path is the name of a file in the folder.
func (o *office) path(name string) string { return filepath.Join(o.folder, name) }
