/** Files as a browser hands them over: chosen, or dropped with whole folders; and their digests. */

const LARGEST_DIGEST = 200_000_000;

/**
 * @param {FileList} files of a field; of a folder each knows its place in it
 * @returns {{name: string, file: File}[]}
 */
export function named(files) {
  return Array.from(files, (file) => ({ name: file.webkitRelativePath || file.name, file }));
}

/**
 * Everything that was dropped, folders with all that is in them.
 * @param {DataTransfer} transfer
 * @returns {Promise<{name: string, file: File}[]>}
 */
export async function droppedFiles(transfer) {
  // Taken at once: the list is empty after the first wait.
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return named(transfer.files);
  const found = [];
  for (const entry of entries) await collect(entry, "", found);
  return found;
}

async function collect(entry, folder, found) {
  const name = folder + entry.name;
  if (entry.isFile) {
    found.push({ name, file: await new Promise((resolve, reject) => entry.file(resolve, reject)) });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A reader gives its entries in parts, and an empty part at the end.
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!part.length) return;
    for (const one of part) await collect(one, `${name}/`, found);
  }
}

/**
 * @param {Blob} file
 * @returns {Promise<string|null>} hex SHA-256; null where the browser gives none (plain HTTP), or for a very large file
 */
export async function digestOf(file) {
  if (!crypto.subtle || file.size > LARGEST_DIGEST) return null;
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
