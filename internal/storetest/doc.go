// Package storetest has what the suites share that check whether stores keep their
// contracts: a probe that notes what is wrong, made-up values, comparisons that name the
// field, catalogues that are searched by every field of a filter, and the rules of lists.
// What a contract says, and in which words, stands in the suites themselves.
package storetest
