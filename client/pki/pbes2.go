package pki

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // PBKDF2's default, in files of others
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"hash"

	"npsetup/steps/secret"
)

// Iterations of the key derivation: what we write, and the most that are read in one file, which take a second at worst. OpenSSL
// writes 2048, Windows 2000.
const (
	Iterations     = 100_000
	iterationLimit = 600_000
)

// ErrPassphrase is in the errors about a missing or wrong passphrase.
var ErrPassphrase = errors.New("the passphrase does not open it")

type sealed struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

type pbes2 struct{ KDF, Cipher pkix.AlgorithmIdentifier }

type pbkdf2Parameters struct {
	Salt       []byte
	Iterations int
	Length     int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

func oidPBES2() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13} }

func oidPBKDF2() asn1.ObjectIdentifier     { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12} }
func oidHMACSHA256() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9} }
func oidAES256CBC() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
}

// sealKey encrypts a PKCS #8 key: RFC 8018's PBES2.
func sealKey(der []byte, passphrase secret.Secret, iterations int) ([]byte, error) {
	random := make([]byte, 16+aes.BlockSize)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	salt, iv := random[:16], random[16:]
	block, err := derive(sha256.New, passphrase, salt, iterations, 32)
	if err != nil {
		return nil, err
	}
	pad := aes.BlockSize - len(der)%aes.BlockSize
	data := append(bytes.Clone(der), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(data, data)
	kdf, err := asn1.Marshal(pbkdf2Parameters{Salt: salt, Iterations: iterations, PRF: pkix.AlgorithmIdentifier{Algorithm: oidHMACSHA256(), Parameters: asn1.NullRawValue}})
	if err != nil {
		return nil, err
	}
	vector, err := asn1.Marshal(iv)
	if err != nil {
		return nil, err
	}
	parameters, err := asn1.Marshal(pbes2{
		pkix.AlgorithmIdentifier{Algorithm: oidPBKDF2(), Parameters: asn1.RawValue{FullBytes: kdf}},
		pkix.AlgorithmIdentifier{Algorithm: oidAES256CBC(), Parameters: asn1.RawValue{FullBytes: vector}},
	})
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(sealed{pkix.AlgorithmIdentifier{Algorithm: oidPBES2(), Parameters: asn1.RawValue{FullBytes: parameters}}, data})
}

// openKey decrypts a PKCS #8 key of PBES2 with PBKDF2 and AES. It does not say whether the passphrase was right beyond what the
// padding tells: who parses the key finds out.
func openKey(der []byte, passphrase secret.Secret) ([]byte, error) {
	const convert = "convert it: openssl pkcs8 -topk8 -v2 aes256 -in FILE -out NEW"
	var s sealed
	if err := whole(der, &s); err != nil {
		return nil, errors.New("it is damaged")
	}
	var p pbes2
	if !s.Algorithm.Algorithm.Equal(oidPBES2()) || whole(s.Algorithm.Parameters.FullBytes, &p) != nil {
		return nil, errors.New("it is encrypted in an old way (no PBES2); " + convert)
	}
	var kdf pbkdf2Parameters
	if !p.KDF.Algorithm.Equal(oidPBKDF2()) || whole(p.KDF.Parameters.FullBytes, &kdf) != nil {
		return nil, errors.New("its key derivation is not PBKDF2; " + convert)
	}
	if kdf.Iterations < 1 || kdf.Iterations > iterationLimit {
		return nil, tooManyIterations()
	}
	prf, length := prfOf(kdf.PRF.Algorithm), aesLength(p.Cipher.Algorithm)
	if prf == nil || length == 0 {
		return nil, errors.New("its encryption is not AES with SHA-1 or SHA-2; " + convert)
	}
	var iv []byte
	if whole(p.Cipher.Parameters.FullBytes, &iv) != nil || len(iv) != aes.BlockSize || len(s.Data) == 0 || len(s.Data)%aes.BlockSize != 0 {
		return nil, errors.New("it is damaged")
	}
	if passphrase.Empty() {
		return nil, errNoPassphrase
	}
	block, err := derive(prf, passphrase, kdf.Salt, kdf.Iterations, length)
	if err != nil {
		return nil, err
	}
	data := bytes.Clone(s.Data)
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(data, data)
	pad := int(data[len(data)-1])
	if pad == 0 || pad > aes.BlockSize || !bytes.HasSuffix(data, bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, ErrPassphrase
	}
	return data[:len(data)-pad], nil
}

// errNoPassphrase is ErrPassphrase for callers, in other words.
var errNoPassphrase = passphraseError("it is encrypted with a passphrase")

type passphraseError string

func (e passphraseError) Error() string      { return string(e) }
func (passphraseError) Is(target error) bool { return target == ErrPassphrase }

func tooManyIterations() error {
	return errors.New("its key derivation has no sensible count of iterations (1 to 600,000 are read)")
}

func derive(prf func() hash.Hash, passphrase secret.Secret, salt []byte, iterations, length int) (cipher.Block, error) {
	key, err := pbkdf2.Key(prf, passphrase.Wire(), salt, iterations, length)
	if err != nil {
		return nil, err
	}
	return aes.NewCipher(key)
}

func whole(der []byte, into any) error {
	rest, err := asn1.Unmarshal(der, into)
	if err == nil && len(rest) > 0 {
		err = errors.New("something stands behind it")
	}
	return err
}

func prfOf(oid asn1.ObjectIdentifier) func() hash.Hash {
	switch oid.String() {
	case "", "1.2.840.113549.2.7":
		return sha1.New
	case "1.2.840.113549.2.9":
		return sha256.New
	case "1.2.840.113549.2.10":
		return sha512.New384
	case "1.2.840.113549.2.11":
		return sha512.New
	}
	return nil
}

func aesLength(oid asn1.ObjectIdentifier) int {
	switch oid.String() {
	case "2.16.840.1.101.3.4.1.2":
		return 16
	case "2.16.840.1.101.3.4.1.22":
		return 24
	case "2.16.840.1.101.3.4.1.42":
		return 32
	}
	return 0
}
