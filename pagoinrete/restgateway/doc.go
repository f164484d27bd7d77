// Package restgateway is a [pagoinrete.Gateway] over HTTP: a client for one school.
//
//	key, err := flussi.ParseKey(os.Getenv("PIR_KEY"))
//	client, err := restgateway.New(key, "RMIC8GA002", restgateway.Config{BaseURL: address})
//	gateways := func(ctx context.Context, school string) (pagoinrete.Gateway, error) { return client, nil }
//
// The ministry has not published the interface of Pago In Rete: neither an address nor a format.
// This package defines a format of its own after the ministry's user guide. openapi.yaml
// describes the format, and wire.go is the only file that knows it. The client works with the
// simulator in package restgatewaytest, and with a service that translates the format for the
// real platform. With the ministry's documents there are two ways: replace wire.go, or implement
// [pagoinrete.Gateway] in a package of your own; pagoinretetest.RunGateway checks either.
package restgateway
