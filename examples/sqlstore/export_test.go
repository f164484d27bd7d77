package sqlstore

// Look says how far searches look, so that few rows are many.
func (s *Store) Look(few, list, more, hits, arms int) {
	s.db.looks = looks{few, list, more, hits, arms}
}
