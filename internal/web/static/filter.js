// Applies a filter as soon as something is chosen. Without this module the button does it.
for (const form of document.querySelectorAll('form[data-filter]')) {
  for (const field of form.querySelectorAll('select')) {
    field.addEventListener('change', () => form.requestSubmit());
  }
  // An address names only what was asked for.
  form.addEventListener('formdata', (event) => {
    for (const [name, value] of [...event.formData]) {
      if (value === '') event.formData.delete(name);
    }
  });
}
