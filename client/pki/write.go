package pki

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// WriteKey writes a private key into a new file with mode 0600, as PKCS #8 in PEM: plain when passphrase is empty, else
// encrypted (PBES2: PBKDF2 with SHA-256, AES-256). See WriteFile.
func WriteKey(path string, key crypto.Signer, passphrase secret.Secret) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return problem.New("the private key cannot be written").Because(problem.Plain(err.Error())).From(err)
	}
	block := &pem.Block{Type: "PRIVATE KEY", Bytes: der}
	if !passphrase.Empty() {
		block.Type = encryptedKey
		if block.Bytes, err = sealKey(der, passphrase, Iterations); err != nil {
			return problem.New("the private key cannot be encrypted").Because(problem.Plain(err.Error())).From(err)
		}
	}
	return WriteFile(path, pem.EncodeToMemory(block), 0o600)
}

// WriteFile writes a new file whole or not at all, in a folder that is made with mode 0700 when it is not there. It never
// writes over another file nor through a symbolic link, neither for the file nor for its folder, and not into a folder in
// which others could exchange it. On Windows the rights are those of the folder above.
func WriteFile(path string, content []byte, mode fs.FileMode) error {
	dir, name := filepath.Dir(path), filepath.Base(path)
	root, err := openFolder(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	err = writeIn(root, name, content, mode)
	if errors.Is(err, fs.ErrExist) {
		return Exists(path)
	}
	if err != nil {
		return problem.New("the file "+problem.Plain(path)+" cannot be written").Unwritten(err, "name a folder that you may write in")
	}
	return nil
}

// Exists says that a file is there and stays.
func Exists(path string) error {
	return problem.New("the file " + problem.Plain(path) + " exists already and is left as it is").Because("keys and certificates are written to new files only").
		Try("name another folder or another name, or move the file away").From(fs.ErrExist)
}

// openFolder makes dir if need be, and gives it as it is at this moment: what is put in its place later gets nothing.
func openFolder(dir string) (*os.Root, error) {
	bad := func(why, next string, err error) (*os.Root, error) {
		return nil, unwritable(dir, why, next).From(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, problem.New("nothing can be written into the folder "+problem.Plain(dir)).Unwritten(err, "name a folder that you may make")
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return bad(problem.Plain(err.Error()), "name a folder that you may read", err)
	}
	if why, next := unfit(dir, info); why != "" {
		return nil, unwritable(dir, why, next).Coded(problem.KeyFolderUnsafe)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return bad(problem.Plain(err.Error()), "name a folder that you may read", err)
	}
	if now, err := root.Stat("."); err != nil || !os.SameFile(info, now) {
		_ = root.Close()
		return bad("it was exchanged for another one at this moment", "try again, in a folder of your own", err)
	}
	return root, nil
}

func unwritable(dir, why, next string) *problem.Problem {
	return problem.New("nothing can be written into the folder " + problem.Plain(dir)).Because(why).Try(next)
}

// Exposed says that everybody may put something else in the place of what a folder holds.
func Exposed(folder fs.FileInfo) bool {
	return runtime.GOOS != "windows" && folder.Mode().Perm()&0o002 != 0 && folder.Mode()&fs.ModeSticky == 0
}

// takeAway helps where a folder is Exposed.
func takeAway(folder string) string {
	return "name a folder elsewhere, or take the right away: chmod o-w " + problem.Plain(folder)
}

// unfit says why keys must not be written into a folder, and what to do.
func unfit(dir string, folder fs.FileInfo) (why, next string) {
	above := filepath.Dir(dir)
	if info, err := os.Stat(above); err == nil && Exposed(info) {
		return "everybody may write in the folder above it, " + problem.Plain(above) + ", and could exchange it", takeAway(above)
	}
	switch {
	case folder.Mode()&fs.ModeSymlink != 0:
		return "it is a symbolic link, which may lead anywhere", "name the folder itself"
	case !folder.IsDir():
		return "it is a file", "name a folder, or one that does not exist yet"
	case runtime.GOOS != "windows" && folder.Mode().Perm()&0o022 != 0 && folder.Mode()&fs.ModeSticky == 0:
		return "others than its owner may write in it, and could exchange what is written", "name a folder that does not exist yet, or take the right away: chmod go-w"
	}
	return "", ""
}

// CheckFolder says what would keep WriteFile from writing into dir, which need not be there yet. It changes nothing.
func CheckFolder(dir string) error {
	info, err := os.Lstat(dir)
	if err == nil {
		if why, next := unfit(dir, info); why != "" {
			return unwritable(dir, why, next).Coded(problem.KeyFolderUnsafe)
		}
		if err := writable(dir); err != nil {
			return unwritable(dir, problem.Plain(err.Error()), "name a folder that you may write in")
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return unwritable(dir, problem.Plain(err.Error()), "name a folder that you may read")
	}
	above := filepath.Dir(dir)
	for ; ; above = filepath.Dir(above) {
		if info, err = os.Stat(above); err == nil || !errors.Is(err, fs.ErrNotExist) || above == filepath.Dir(above) {
			break
		}
	}
	switch {
	case err != nil:
		return unwritable(dir, problem.Plain(err.Error()), "name a folder that you may make")
	case !info.IsDir():
		return unwritable(dir, problem.Plain(above)+" is a file", "name a folder that you may make")
	case Exposed(info):
		return unwritable(dir, "everybody may write in "+problem.Plain(above)+", and could exchange it", takeAway(above)).Coded(problem.KeyFolderUnsafe)
	}
	if err := writable(above); err != nil {
		return unwritable(dir, "it is not there, and cannot be made in "+problem.Plain(above)+": "+problem.Plain(err.Error()), "name a folder that you may make")
	}
	return nil
}

func writeIn(root *os.Root, name string, content []byte, mode fs.FileMode) error {
	if _, err := root.Lstat(name); err == nil {
		return fs.ErrExist
	}
	random := make([]byte, 8)
	if _, err := rand.Read(random); err != nil {
		return err
	}
	temp := ".npsetup-" + hex.EncodeToString(random)
	if err := writeNew(root, temp, content, mode); err != nil {
		return err
	}
	defer func() { _ = root.Remove(temp) }()
	// Link, unlike Rename, fails when somebody has made the file meanwhile.
	if err := root.Link(temp, name); errors.Is(err, fs.ErrExist) {
		return err
	} else if err != nil { // some file systems have no links
		return writeNew(root, name, content, mode)
	}
	if dir, err := root.Open("."); err == nil { // so that the name, too, survives a loss of power
		_ = dir.Sync()
		_ = dir.Close()
	}
	return nil
}

func writeNew(root *os.Root, name string, content []byte, mode fs.FileMode) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = root.Remove(name) // half a key is worse than none
	}
	return err
}
