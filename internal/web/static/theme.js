// Changes the colours at once where the form would load the page again. The choice is in a cookie, so
// that the next page comes in the right colours.
const form = document.querySelector('form[data-theme-form]');
const root = document.documentElement;
const system = window.matchMedia('(prefers-color-scheme: dark)');

const isDark = () => (root.dataset.theme ? root.dataset.theme === 'dark' : system.matches);

function offer() {
  const next = isDark() ? 'light' : 'dark';
  const button = form.querySelector('button');
  button.value = next;
  button.textContent = next === 'dark' ? 'Dark' : 'Light';
  button.setAttribute('aria-label', `Use ${next} colours`);
}

if (form) {
  offer();
  system.addEventListener('change', offer);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const chosen = form.querySelector('button').value;
    root.dataset.theme = chosen;
    const secure = location.protocol === 'https:' ? '; Secure' : '';
    document.cookie = `tallystick_theme=${chosen}; Path=/; Max-Age=31536000; SameSite=Strict${secure}`;
    offer();
  });
}
