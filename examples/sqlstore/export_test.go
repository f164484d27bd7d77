package sqlstore

// Look says how far searches look, so that few rows are many.
func (s *Store) Look(first, more, hits, arms int) { s.db.looks = looks{first, more, hits, arms} }
