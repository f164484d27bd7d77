// Package brokenstore proves the rules of package storetest: it has stores that break one thing
// each, whatever their entities, and the tests that every one of them is found out. The suites
// add stores that break the rules of their own.
package brokenstore
