package segment

// UnpackForTest unpacks a page.
func UnpackForTest(packed []byte, size int) error {
	r := newRoom()
	defer r.close()
	_, err := r.unpack(make([]byte, size), packed, size)
	return err
}
