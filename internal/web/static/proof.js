// Recomputes an inclusion proof (RFC 9162 section 2.1.3.2) in the browser. It reads the leaf and the
// hashes from the page and compares what follows from them with the root hash of the checkpoint. Whose
// checkpoint that is only a signature tells: `tallystick verify` checks it.
const bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
const hex = (array) => [...array].map((b) => b.toString(16).padStart(2, '0')).join('');

async function hash(prefix, ...parts) {
  const length = parts.reduce((sum, part) => sum + part.length, 1);
  const input = new Uint8Array(length);
  input[0] = prefix;
  let at = 1;
  for (const part of parts) {
    input.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest('SHA-256', input));
}

// rootOf returns the root hash that follows from a leaf and its proof, or null if the proof is too
// short or too long. Indexes are BigInt: shifts of numbers end at 32 bits.
export async function rootOf(leaf, index, size, proof) {
  let fn = BigInt(index);
  let sn = BigInt(size) - 1n;
  if (fn > sn) return null;
  let r = await hash(0, leaf);
  for (const p of proof) {
    if (sn === 0n) return null;
    if (fn & 1n || fn === sn) {
      r = await hash(1, p, r);
      while (!(fn & 1n) && fn !== 0n) {
        fn >>= 1n;
        sn >>= 1n;
      }
    } else {
      r = await hash(1, r, p);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  return sn === 0n ? r : null;
}

async function check(panel) {
  const { leaf, index, size, proof, root } = panel.dataset;
  const hashes = proof === '' ? [] : proof.split(' ').map(bytes);
  const found = await rootOf(bytes(leaf), index, size, hashes);
  const good = found !== null && hex(found) === root;
  const result = panel.querySelector('.result');
  result.textContent = good
    ? `✓ Checked here: the leaf and ${hashes.length} hashes lead to the root hash of the checkpoint.`
    : '✕ The leaf and its proof do not lead to the root hash of the checkpoint.';
  result.className = `result ${good ? 'pass' : 'fail'}`;
}

for (const panel of document.querySelectorAll('[data-proof]')) {
  if (!globalThis.crypto?.subtle) continue; // only where the address is secure
  const button = panel.querySelector('button');
  button.hidden = false;
  button.addEventListener('click', () => check(panel));
}
