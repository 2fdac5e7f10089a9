/** The workspace of the account that is logged in, for everything below. */

import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Workspace } from '../store/workspace';

export const WorkspaceContext = createContext<Workspace | null>(null);

export function useWorkspace(): Workspace {
  const found = useContext(WorkspaceContext);
  if (!found) throw new Error('Nobody is logged in.');
  return found;
}
