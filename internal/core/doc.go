// Package core is what the services of packages flow and pagoinrete do alike: authorise an actor,
// list page by page, try a change again after a conflict, take in the rows of an import, check the
// fields of an entity, and build errors. It imports neither package.
//
// A scope is what an actor is authorised for: a service in flow, a school in pagoinrete.
package core
